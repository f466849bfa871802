import type { Json } from '../spi/json.ts';
import { cutAtPlaceholders } from './placeholders.ts';

/** What a name becomes: a text that is known beforehand, or an expression of the script; undefined leaves it as written. */
export type Naming = (name: string) => { text: string } | { expression: string } | undefined;

/** A JavaScript expression whose value is the text with its placeholders filled in, each encoded by `encode`. */
export function textExpression(text: string, naming: Naming, encode = 'String'): string {
  const parts: ({ text: string } | { expression: string })[] = [];
  const add = (part: { text: string } | { expression: string }): void => {
    const last = parts.at(-1);
    if (last !== undefined && 'text' in last && 'text' in part) last.text += part.text;
    else parts.push({ ...part });
  };
  cutAtPlaceholders(text).forEach((part, index) => {
    if (index % 2 === 0) add({ text: part });
    else add(naming(part) ?? { text: `{${part}}` });
  });
  const written = parts
    .filter((part) => !('text' in part) || part.text !== '')
    .map((part) => ('text' in part ? literal(part.text) : `${encode}(${part.expression})`));
  return written.length === 0 ? "''" : written.join(' + ');
}

/** A JavaScript expression for a JSON value; a placeholder that stands alone keeps its value's type. */
export function jsonExpression(value: Json, naming: Naming): string {
  if (typeof value === 'string') {
    const cut = cutAtPlaceholders(value);
    const alone = cut.length === 3 && cut[0] === '' && cut[2] === '' ? naming(cut[1]!) : undefined;
    return alone !== undefined && 'expression' in alone ? alone.expression : textExpression(value, naming);
  }
  if (Array.isArray(value)) return `[${value.map((item) => jsonExpression(item, naming)).join(', ')}]`;
  if (value === null || typeof value !== 'object') return JSON.stringify(value);
  const fields = Object.entries(value).map(([key, item]) => `${field(key)}: ${jsonExpression(item, naming)}`);
  return fields.length === 0 ? '{}' : `{ ${fields.join(', ')} }`;
}

/** A field of this name as it is; written plainly, `__proto__` would not be one. */
const field = (key: string): string => (key === '__proto__' ? `[${literal(key)}]` : literal(key));

/** The text as a literal of the script. */
export function literal(text: string): string {
  // Line separators are legal in JSON and were not always so in scripts.
  return JSON.stringify(text).replaceAll('\u2028', '\\u2028').replaceAll('\u2029', '\\u2029');
}
