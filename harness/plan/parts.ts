import type { z } from 'zod';
import { type ZodSchema, zodSchema } from '../core/zod-schema.ts';
import type { Json, JsonObject, SchemaIssue } from '../spi/json.ts';
import type { Path, PlanDocument } from './document.ts';
import { didYouMean, type Issue } from './issue.ts';
import { isObject } from './load.ts';

/** Collects issues of one document, by path. */
export class IssueBook {
  readonly document: PlanDocument;
  readonly issues: Issue[];

  constructor(document: PlanDocument, issues: Issue[]) {
    this.document = document;
    this.issues = issues;
  }

  add(path: Path, code: Issue['code'], message: string, more: Parameters<PlanDocument['issue']>[3] = {}): void {
    this.issues.push(this.document.issue(path, code, message, more));
  }

  /** The value as the schema makes it, or undefined with its issues added. */
  parse<T>(schema: z.ZodType<T>, value: Json | undefined, path: Path): T | undefined {
    const parsed = schemaOf(schema).parse(value);
    if (parsed.ok) return parsed.value;
    this.addAll(parsed.issues, path);
    return undefined;
  }

  addAll(found: readonly SchemaIssue[], path: Path): void {
    for (const issue of found) this.#addOne(issue, path);
  }

  #addOne({ path: below, message, expected }: SchemaIssue, base: Path): void {
    const path = [...base, ...below];
    const unknownKey = message.startsWith('unknown key');
    const badKey = / is not a name here: /.test(message);
    const known = expected?.startsWith('one of ') === true ? expected.slice('one of '.length).split(', ') : [];
    const written = unknownKey ? below.at(-1) : valueAt(this.document.value, path);
    const meant = typeof written === 'string' ? didYouMean(written, known) : undefined;
    const said = /^"[^"]*" is missing$/.test(message)
      ? `"${String(path.at(-1))}" is missing`
      : inPlainWords(message, written);
    // A message that says what is expected needs no second line to say it again.
    const repeats =
      expected === undefined || said.includes(expected) || (said.startsWith('expected') && known.length === 0);
    this.add(path, unknownKey ? 'KEY_UNKNOWN' : 'VALUE', said, {
      expected: repeats ? undefined : (KINDS[expected] ?? expected),
      hint: meant === undefined ? undefined : `did you mean "${meant}"?`,
      at: unknownKey || badKey ? 'key' : 'value',
    });
  }

  /** Keys of a mapping that the language does not have there. */
  unknownKeys(shape: Readonly<Record<string, z.ZodType>>, value: JsonObject, path: Path = []): void {
    const known = Object.keys(shape);
    for (const key of Object.keys(value)) {
      if (known.includes(key)) continue;
      this.addAll([{ path: [key], message: `unknown key "${key}"`, expected: `one of ${known.join(', ')}` }], path);
    }
  }

  /** Each item of a list on its own, so that one mistake hides no other; undefined where an item is wrong. */
  parseList<T>(schema: z.ZodType<T>, whole: z.ZodType, value: Json | undefined, path: Path): (T | undefined)[] {
    if (!Array.isArray(value) || value.length === 0) {
      this.parse(whole, value, path);
      return [];
    }
    return value.map((item, index) => this.parse(schema, item, [...path, index]));
  }

  /** Each entry of a mapping on its own; entries that are wrong are left out. */
  parseRecord<T>(schema: z.ZodType<T>, whole: z.ZodType, value: Json | undefined, path: Path): Record<string, T> {
    if (!isObject(value)) {
      this.parse(whole, value, path);
      return {};
    }
    const entries = Object.entries(value).flatMap(([key, item]): [string, T][] => {
      const parsed = this.parse(schema, item, [...path, key]);
      return parsed === undefined ? [] : [[key, parsed]];
    });
    const anything = Object.fromEntries(Object.keys(value).map((key) => [key, null]));
    this.#namesOf(anything, path);
    return Object.fromEntries(entries);
  }

  #namesOf(value: JsonObject, path: Path): void {
    for (const key of Object.keys(value)) {
      if (/^[a-z][a-z0-9-]{0,39}$/.test(key)) continue;
      const expected = 'a name: lower-case letters, digits and dashes, at most 40';
      this.add([...path, key], 'VALUE', `"${key}" is not a name`, { expected, at: 'key' });
    }
  }
}

/** Kept, since what a schema knows of its keys is worked out once. */
const schemas = new WeakMap<z.ZodType, ZodSchema<unknown>>();

function schemaOf<T>(type: z.ZodType<T>): ZodSchema<T> {
  const known = schemas.get(type) ?? zodSchema(type as z.ZodType<unknown>);
  schemas.set(type, known);
  return known as ZodSchema<T>;
}

/** The schema library's names for kinds of values, as a reader of YAML calls them. */
const KINDS: Readonly<Record<string, string>> = {
  array: 'a list',
  boolean: 'true or false',
  int: 'a whole number',
  number: 'a number',
  object: 'a mapping',
  record: 'a mapping',
  string: 'text',
};

function inPlainWords(message: string, written: unknown): string {
  if (message.startsWith('Invalid option')) return `${JSON.stringify(written)} is not known here`;
  if (message.startsWith('Invalid')) return 'this is the wrong kind of value';
  if (message.startsWith('Too small')) return 'this is too small';
  return message.startsWith('Too big') ? 'this is too big' : message;
}

function valueAt(value: Json, path: Path): Json | undefined {
  return path.reduce<Json | undefined>((at, part) => {
    if (typeof at !== 'object' || at === null) return undefined;
    return Array.isArray(at) ? at[Number(part)] : at[part];
  }, value);
}
