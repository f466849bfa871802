import { z } from 'zod';
import { zodSchema } from '../core/zod-schema.ts';
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
    const parsed = zodSchema(schema).parse(value);
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
    const known = expected?.startsWith('one of ') === true ? expected.slice('one of '.length).split(', ') : [];
    const written = unknownKey ? String(below.at(-1)) : valueAt(this.document.value, path);
    const meant = typeof written === 'string' ? didYouMean(written, known) : undefined;
    this.add(path, unknownKey ? 'KEY_UNKNOWN' : 'VALUE', message, {
      expected: expected === undefined || message.includes(expected) ? undefined : expected,
      hint: meant === undefined ? undefined : `did you mean "${meant}"?`,
      at: unknownKey ? 'key' : 'value',
    });
  }

  /** Keys of the top level that the language does not have. */
  unknownKeys(shape: Readonly<Record<string, z.ZodType>>): void {
    const anything = Object.keys(shape).map((key) => [key, z.unknown().optional()] as const);
    this.parse(z.strictObject(Object.fromEntries(anything)), this.document.value, []);
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

function valueAt(value: Json, path: Path): Json | undefined {
  return path.reduce<Json | undefined>((at, part) => {
    if (typeof at !== 'object' || at === null) return undefined;
    return Array.isArray(at) ? at[Number(part)] : at[part];
  }, value);
}
