import { DEPTH_MAX } from './secret-context.ts';
import type { TextMasker } from './text-masker.ts';
import { decoded, encoded } from './url-coding.ts';

/** No value is private by its own form alone that is shorter than a mail address. */
export const SHORTEST = 6;

/** `key=value&key=value`: what needs no masking keeps its bytes, what does is encoded again. */
export function maskForm(text: string, masker: TextMasker, depth: number): string {
  let result = '';
  let copied = 0;
  for (let start = 0; start < text.length; ) {
    const ampersand = text.indexOf('&', start);
    const end = ampersand < 0 ? text.length : ampersand;
    const equals = text.indexOf('=', start);
    const valueAt = equals < 0 || equals >= end ? start : equals + 1;
    const written = text.slice(valueAt, end);
    const key = valueAt === start ? '' : formDecoded(text.slice(start, equals));
    const by = maskFormValue(key, written, masker, depth);
    if (by !== written) {
      result += text.slice(copied, valueAt) + by;
      copied = end;
    }
    start = end + 1;
  }
  return copied === 0 ? text : result + text.slice(copied);
}

/** The value of one pair as it is written; its key is decoded already. */
export function maskFormValue(key: string, written: string, masker: TextMasker, depth: number): string {
  const kind = key === '' ? undefined : masker.rules.classOf(key);
  if (written === '' || (kind === undefined && written.length < SHORTEST && masker.rules.patterns.length === 0))
    return written;
  const value = formDecoded(written);
  const below = Math.min(depth + 1, DEPTH_MAX);
  const by = kind === undefined ? masker.body(value, below) : masker.byKey(kind, value, below);
  return by === value ? written : encoded(by);
}

/** A key or value of a form as it is meant. */
export function formDecoded(text: string): string {
  const spaced = text.includes('+') ? text.replaceAll('+', ' ') : text;
  // An unescaped plus before digits is a telephone number's far more often than a space.
  const plus = text.startsWith('+') ? `+${spaced.slice(1)}` : spaced;
  return plus.includes('%') ? (decoded(plus) ?? plus) : plus;
}
