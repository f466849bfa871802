import { z } from 'zod';
import {
  BANDWIDTH,
  DURATION,
  PERCENT,
  parseBandwidth,
  parseDuration,
  parsePercent,
  parseRate,
  parseSize,
  RATE,
  SIZE,
} from './units.ts';

type Json = null | boolean | number | string | Json[] | { [key: string]: Json };
type JsonObject = { [key: string]: Json };

interface Issue {
  path: (string | number)[];
  message: string;
  expected?: string;
}

/** Structurally the spi's `Schema<T>`; spelled out here because core imports nothing. */
export interface ZodSchema<T> {
  parse(value: unknown): { ok: true; value: T } | { ok: false; issues: Issue[] };
  json(): JsonObject;
}

/**
 * A zod type behind our own one-method schema: all issues at once, one for each unknown key, with what would have been
 * right in `expected`. Use `z.strictObject`, so that unknown keys are issues at all.
 */
export function zodSchema<T>(type: z.ZodType<T>): ZodSchema<T> {
  let document: JsonObject | undefined;
  const json = (): JsonObject => {
    document ??= z.toJSONSchema(type, { target: 'draft-7', io: 'input' }) as JsonObject;
    return document;
  };
  return {
    json,
    parse: (value) => {
      const result = type.safeParse(value, { reportInput: true });
      if (result.success) return { ok: true, value: result.data };
      return { ok: false, issues: result.error.issues.flatMap((issue) => fromZod(issue, json())) };
    },
  };
}

/** `150ms`, `2s` → ms. */
export const durationMs = () =>
  quantity(DURATION, parseDuration, 'a duration with its unit (ms, s, m, h)', ['150ms', '2s']);
/** `250/s`, `2k/s` → per second. */
export const ratePerSecond = () => quantity(RATE, parseRate, 'a rate with its unit (/s, /m, /h)', ['250/s', '2k/s']);
/** `99.9%` → 0.999. */
export const percentage = () => quantity(PERCENT, parsePercent, 'a percentage from 0% to 100%', ['99.9%', '50%']);
/** `64KB` → bytes. */
export const sizeBytes = () => quantity(SIZE, parseSize, 'a size with its unit (B, KB, MB, GB)', ['64KB', '1MB']);
/** `10Mbit/s` → bytes per second. */
export const bytesPerSecond = () =>
  quantity(BANDWIDTH, parseBandwidth, 'a bandwidth with its unit (KB/s, MB/s, GB/s, kbit/s, Mbit/s, Gbit/s)', [
    '10Mbit/s',
    '500KB/s',
  ]);

function quantity(
  pattern: RegExp,
  parse: (text: string) => number | undefined,
  what: string,
  examples: [string, ...string[]],
) {
  const error = (issue: { input?: unknown }): string => {
    const bare = typeof issue.input === 'number' ? ': a number alone has no unit' : '';
    return `expected ${what}, as in ${examples.join(' or ')}${bare}`;
  };
  return z
    .string({ error })
    .regex(pattern, { error })
    .transform((text, context) => {
      const value = parse(text);
      if (value !== undefined) return value;
      context.addIssue({ code: 'custom', message: error({}), params: { expected: what } });
      return z.NEVER;
    })
    .meta({ examples });
}

function fromZod(issue: z.core.$ZodIssue, json: JsonObject): Issue[] {
  const path = issue.path.map((part) => (typeof part === 'symbol' ? String(part) : part));
  if (issue.code === 'unrecognized_keys') {
    const known = knownKeys(json, path);
    return issue.keys.map((key) => ({
      path: [...path, key],
      message: `unknown key "${key}"`,
      ...(known.length === 0 ? {} : { expected: `one of ${known.join(', ')}` }),
    }));
  }
  if (issue.code === 'invalid_key') {
    // What a name must look like is said by the schema of names, inside.
    const why = issue.issues[0]?.message ?? issue.message;
    return [{ path, message: `"${String(path.at(-1))}" is not a name here: ${why}` }];
  }
  const missing = issue.code === 'invalid_type' && issue.input === undefined;
  const said = missing && issue.message.startsWith('expected ') ? issue.message.slice('expected '.length) : undefined;
  const expected = said ?? expectedOf(issue);
  const message = missing ? `"${String(path.at(-1) ?? 'value')}" is missing` : issue.message;
  return [{ path, message, ...(expected === undefined ? {} : { expected }) }];
}

function expectedOf(issue: z.core.$ZodIssue): string | undefined {
  if (issue.code === 'invalid_value') return `one of ${issue.values.map(String).join(', ')}`;
  if (issue.code === 'invalid_type') return issue.expected;
  if (issue.code === 'too_small') return `at least ${String(issue.minimum)}`;
  if (issue.code === 'too_big') return `at most ${String(issue.maximum)}`;
  if (issue.code !== 'custom') return undefined;
  // Passed on by refinements, and by unions that parse their chosen branch themselves.
  const given: unknown = issue.params?.expected;
  return typeof given === 'string' ? given : undefined;
}

/** The keys that the JSON Schema knows at a path; empty where it does not tell. */
function knownKeys(json: JsonObject, path: (string | number)[]): string[] {
  let at: Json | undefined = json;
  for (const part of path) {
    if (!isObject(at)) return [];
    const properties: Json | undefined = at.properties;
    at = typeof part === 'number' ? at.items : isObject(properties) ? properties[part] : at.additionalProperties;
  }
  const properties = isObject(at) ? at.properties : undefined;
  return isObject(properties) ? Object.keys(properties) : [];
}

function isObject(value: Json | undefined): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
