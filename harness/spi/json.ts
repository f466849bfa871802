/** What may cross a process border or lie in a file: nothing but JSON. */
export type Json = null | boolean | number | string | Json[] | { [key: string]: Json };
export type JsonObject = { [key: string]: Json };

/** Our own one-method interface over whatever library validates; no third-party type crosses a seam. */
export interface Schema<P> {
  /** Either the parsed value or every issue at once; `path` is relative to the value given. */
  parse(value: unknown): { ok: true; value: P } | { ok: false; issues: SchemaIssue[] };
  /** JSON Schema (draft-7) of the value, for the generated plan schema and the catalogue. */
  json(): JsonObject;
}

export interface SchemaIssue {
  path: (string | number)[];
  message: string;
  /** What would have been right, for the did-you-mean line. */
  expected?: string;
}
