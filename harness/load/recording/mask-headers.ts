import { maskPath } from './mask-path.ts';
import { isPseudonym } from './pseudonyms.ts';
import type { Replace, TextMasker } from './text-masker.ts';
import { decoded } from './url-coding.ts';

/** Headers whose whole value is an address. */
const ADDRESSES = new Set(['referer', 'referrer', 'origin', 'location', 'content-location', 'x-original-url', ':path']);

export function isAddress(header: string): boolean {
  return ADDRESSES.has(header);
}

/** The value of a header without what is private in it. Names are in lower case. */
export function maskHeader(name: string, value: string, masker: TextMasker, replace: Replace): string {
  if (name === 'cookie' || name === 'set-cookie') {
    if (!masker.rules.has('token') || masker.rules.keepsKey(name)) return masker.text(value);
    return name === 'cookie' ? maskCookies(value, masker, replace) : maskSetCookie(value, masker, replace);
  }
  if (isAddress(name)) return maskPath(value, masker);
  const kind = masker.rules.classOf(name);
  return kind === undefined ? masker.body(value) : masker.byKey(kind, value);
}

/** Every value of `a=1; b=2`: which of them is the session only the service knows. */
function maskCookies(value: string, masker: TextMasker, replace: Replace): string {
  return value
    .split(';')
    .map((pair) => maskCookie(pair, masker, replace))
    .join(';');
}

function maskSetCookie(value: string, masker: TextMasker, replace: Replace): string {
  const semicolon = value.indexOf(';');
  if (semicolon < 0) return maskCookie(value, masker, replace);
  return maskCookie(value.slice(0, semicolon), masker, replace) + masker.text(value.slice(semicolon));
}

function maskCookie(pair: string, masker: TextMasker, replace: Replace): string {
  const equals = pair.indexOf('=');
  const name = pair.slice(0, Math.max(0, equals));
  const written = pair.slice(equals + 1).trim();
  const bare = written.replace(/^"(.*)"$/, '$1');
  if (masker.rules.keepsKey(name.trim())) return pair;
  const before = masker.text(name) + pair.slice(name.length, pair.indexOf(written, equals + 1));
  // The same value in a body or in another header is not percent-encoded.
  const value = bare.includes('%') ? (decoded(bare) ?? bare) : bare;
  if (bare === '' || isPseudonym(value) || masker.rules.keeps(value)) return before + written;
  return before + written.replace(bare, () => replace('token', value));
}
