import type { Json } from '../spi/json.ts';

/** What `{name}` stands for in one journey; taken values keep their JSON type where they stand alone in a body. */
export type Values = ReadonlyMap<string, string | number | boolean>;

const PLACEHOLDER = /\{([A-Za-z_]\w*)\}/;

/** Text cut at its placeholders: even entries are literal, odd ones are names. */
export type Template = readonly string[];

export const templateOf = (text: string): Template => text.split(PLACEHOLDER);

/** The text with its placeholders filled in; an unknown one stays as it is written. */
export function fill(template: Template, values: Values, encode: (value: string) => string = (value) => value): string {
  if (template.length === 1) return template[0]!;
  let text = '';
  template.forEach((part, index) => {
    if (index % 2 === 0) text += part;
    else text += values.has(part) ? encode(String(values.get(part))) : `{${part}}`;
  });
  return text;
}

/** Whether every placeholder of the template has a value. */
export function isFilledBy(template: Template, values: Values): boolean {
  return template.every((part, index) => index % 2 === 0 || values.has(part));
}

/** A JSON value with the placeholders in its strings filled in. */
export function fillJson(value: Json, values: Values): Json {
  if (typeof value === 'string') {
    const template = templateOf(value);
    const alone = template.length === 3 && template[0] === '' && template[2] === '';
    return alone && values.has(template[1]!) ? values.get(template[1]!)! : fill(template, values);
  }
  if (Array.isArray(value)) return value.map((item) => fillJson(item, values));
  if (value === null || typeof value !== 'object') return value;
  return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, fillJson(item, values)]));
}

/** What a JSON pointer (RFC 6901) points at, if it is a plain value. */
export function pointedAt(document: unknown, pointer: string): string | number | boolean | undefined {
  let at: unknown = document;
  for (const raw of pointer.split('/').slice(1)) {
    const key = raw.replaceAll('~1', '/').replaceAll('~0', '~');
    if (at === null || typeof at !== 'object' || !Object.hasOwn(at, key)) return undefined;
    at = (at as Record<string, unknown>)[key];
  }
  return typeof at === 'string' || typeof at === 'number' || typeof at === 'boolean' ? at : undefined;
}
