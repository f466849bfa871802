import type { BadClass } from '../spi/load.ts';

export interface HttpRequest {
  method: string;
  path: string;
  headers: Record<string, string>;
  body: string | undefined;
  /** Most bytes of the answer's body worth keeping. */
  bodyMax: number;
}

/** What became of one request: a whole answer, or why there was none. */
export type Answer =
  | { ok: true; status: number; body: string; cut: boolean }
  | { ok: false; class: BadClass; status: number | null; body: string | null };

/** Sends requests; injected, so that the executor runs on virtual time as well. */
export interface Transport {
  /** `done` is called at most once, and not after the returned function was, which destroys the request. */
  send(request: HttpRequest, done: (answer: Answer) => void): () => void;
}
