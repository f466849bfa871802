import { BANDWIDTH, DURATION, PERCENT, RATE, SIZE } from '../harness/core/units.ts';
import type { Json, JsonObject } from '../harness/spi/json.ts';

/** One key of the plan language. */
export interface ReferenceRow {
  path: string;
  kind: string;
  /** `of its kind`: one of several shapes has it, and needs it. */
  required: 'yes' | 'no' | 'of its kind';
  fallback: string | undefined;
  meaning: string;
}

const PATTERNS: readonly [RegExp, string][] = [
  [DURATION, 'duration'],
  [RATE, 'rate'],
  [PERCENT, 'percentage'],
  [SIZE, 'size'],
  [BANDWIDTH, 'bandwidth'],
];
const KINDS: Readonly<Record<string, string>> = {
  array: 'list',
  boolean: 'true or false',
  integer: 'whole number',
  number: 'number',
  object: 'mapping',
  string: 'text',
};

/** Every key that the JSON Schema knows below `path`, in the order of the language; `name.*` is an entry of a mapping. */
export function referenceRows(schema: JsonObject, path = ''): ReferenceRow[] {
  const branches = branchesOf(schema);
  const several = branches.filter(({ properties }) => properties !== undefined).length > 1;
  return branches.flatMap((branch) => [
    ...Object.entries(objectAt(branch.properties)).flatMap(([key, value]): ReferenceRow[] => {
      const json = objectAt(value);
      const at = path === '' ? key : `${path}.${key}`;
      const needed = ((branch.required ?? []) as Json[]).includes(key);
      return [rowOf(at, json, needed ? (several ? 'of its kind' : 'yes') : 'no'), ...referenceRows(json, at)];
    }),
    ...(isObject(branch.items) ? referenceRows(branch.items, `${path}[]`) : []),
    ...(isObject(branch.additionalProperties) ? referenceRows(branch.additionalProperties, `${path}.*`) : []),
  ]);
}

/** Rows as Markdown, the same key of several branches once. */
export function referenceTable(rows: readonly ReferenceRow[]): string {
  const seen = new Map<string, ReferenceRow>();
  for (const row of rows) {
    const before = seen.get(row.path);
    if (before === undefined) seen.set(row.path, row);
    else
      seen.set(row.path, {
        ...before,
        kind: joined(before.kind, row.kind),
        meaning: joined(before.meaning, row.meaning),
      });
  }
  const lines = [...seen.values()].map(({ path, kind, required, fallback, meaning }) => {
    const needed = required !== 'no' || fallback === undefined ? required : `no, \`${fallback}\``;
    return `| \`${path}\` | ${cell(kind)} | ${needed} | ${cell(meaning)} |`;
  });
  return ['| key | kind | required | meaning |', '| --- | --- | --- | --- |', ...lines].join('\n');
}

function joined(before: string, more: string): string {
  if (more === '' || before.includes(more)) return before;
  return before === '' ? more : `${before.replace(/\.$/, '')}; ${more}`;
}

function rowOf(path: string, json: JsonObject, required: ReferenceRow['required']): ReferenceRow {
  const branches = branchesOf(json);
  const kinds = [...new Set(branches.map(kindOf))];
  const fallback = branches.map((branch) => branch.default).find((value) => value !== undefined);
  return {
    path,
    kind: kinds.join(' or '),
    // What has a value of its own need not be written, whatever the schema of what comes out says.
    required: fallback === undefined ? required : 'no',
    fallback: fallback === undefined || typeof fallback === 'object' ? undefined : shown(fallback),
    meaning: typeof json.description === 'string' ? json.description : '',
  };
}

/** A schema's alternatives, without the one that only says that a variable may stand there. */
function branchesOf(json: JsonObject): JsonObject[] {
  const alternatives = [
    ...(Array.isArray(json.anyOf) ? json.anyOf : []),
    ...(Array.isArray(json.oneOf) ? json.oneOf : []),
  ];
  if (alternatives.length === 0) return [json];
  const { anyOf: _any, oneOf: _one, ...own } = json;
  const shared = 'properties' in own || 'items' in own ? [own as JsonObject] : [];
  return [
    ...shared,
    ...alternatives
      .filter(isObject)
      .filter((branch) => !isVariable(branch))
      .flatMap(branchesOf),
  ];
}

const isVariable = (json: JsonObject): boolean => json.pattern === '\\$\\{[^{}]+\\}';

/** A value's kind in the words of the language: `duration`, `` `a`, `b` ``, `whole number`. */
export function kindOf(json: JsonObject): string {
  if (Array.isArray(json.enum)) return json.enum.map((value) => `\`${shown(value)}\``).join(', ');
  if (json.const !== undefined) return `\`${shown(json.const)}\``;
  const known = PATTERNS.find(([pattern]) => pattern.source === json.pattern);
  return known?.[1] ?? KINDS[shown(json.type ?? '')] ?? 'any value';
}

const shown = (value: Json): string => (typeof value === 'string' ? value : JSON.stringify(value));

function cell(text: string): string {
  return text.replaceAll('|', '\\|').replaceAll(/\s+/g, ' ').trim();
}

const objectAt = (value: Json | undefined): JsonObject => (isObject(value) ? value : {});

function isObject(value: Json | undefined): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
