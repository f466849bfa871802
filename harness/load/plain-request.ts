import type { Json } from '../spi/json.ts';
import type { JourneyStep } from '../spi/stack.ts';
import { cutAtPlaceholders } from './placeholders.ts';

/** What a request is written from, its placeholders filled in. */
export interface PlainRequest {
  method: string;
  /** Path and query, below the target's own path. */
  path: string;
  headers: Record<string, string>;
  body: string | undefined;
}

type Values = ReadonlyMap<string, string | number | boolean>;

/** One step's request with these values in it and the `drawn` ones in its tag; a name that has none stays as written. */
export function plainRequest(
  step: JourneyStep,
  values: Values,
  tag: Record<string, string>,
  drawn: Values,
): PlainRequest {
  const path = filled(step.path.startsWith('/') ? step.path : `/${step.path}`, values, (value) =>
    encodeURIComponent(value.toWellFormed()),
  );
  const isJson = step.body !== undefined && typeof step.body !== 'string';
  const headers: Record<string, string> = isJson ? { 'content-type': 'application/json' } : {};
  for (const [key, value] of Object.entries(step.headers)) {
    if (key.toLowerCase() === 'content-type') delete headers['content-type'];
    headers[key] = filled(value, values, withoutLineEnds);
  }
  for (const [key, value] of Object.entries(tag)) headers[key] = filled(value, drawn, withoutLineEnds);
  return { method: step.method, path, headers, body: bodyOf(step, values) };
}

/** The text with its placeholders filled in, or undefined when one of them has no value. */
export function keyOf(text: string, values: Values): string | undefined {
  const cut = cutAtPlaceholders(text);
  return cut.every((part, index) => index % 2 === 0 || values.has(part)) ? filled(text, values) : undefined;
}

function bodyOf({ body }: JourneyStep, values: Values): string | undefined {
  if (body === undefined) return undefined;
  return typeof body === 'string' ? filled(body, values) : JSON.stringify(filledJson(body, values));
}

function filledJson(value: Json, values: Values): Json {
  if (typeof value === 'string') {
    const cut = cutAtPlaceholders(value);
    const alone = cut.length === 3 && cut[0] === '' && cut[2] === '';
    return alone && values.has(cut[1]!) ? values.get(cut[1]!)! : filled(value, values);
  }
  if (Array.isArray(value)) return value.map((item) => filledJson(item, values));
  if (value === null || typeof value !== 'object') return value;
  return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, filledJson(item, values)]));
}

function filled(text: string, values: Values, encode: (value: string) => string = (value) => value): string {
  return cutAtPlaceholders(text)
    .map((part, index) => {
      if (index % 2 === 0) return part;
      return values.has(part) ? encode(String(values.get(part))) : `{${part}}`;
    })
    .join('');
}

/** A taken value may hold what would end the header line; it must not become a header of its own. */
const withoutLineEnds = (value: string): string => value.replace(/[^\x20-\x7e]/g, '');
