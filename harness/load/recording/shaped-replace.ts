import { isMaskedNumber, isPseudonym, type Pseudonyms } from './pseudonyms.ts';
import type { Replace } from './text-masker.ts';

/** Pseudonyms that keep the shape of what they stand for: separators, a country code, the number of digits. */
export function shapedReplace(pseudonyms: Pseudonyms): Replace {
  return (kind, written) => {
    if (isPseudonym(written)) return written;
    if (kind === 'phone') return phone(written, pseudonyms);
    if (kind === 'card') return card(written, pseudonyms);
    if (kind === 'id') return id(written, pseudonyms);
    if (kind === 'mail') return pseudonyms.mail(written);
    if (kind === 'ip') return written.includes(':') ? pseudonyms.ip6(written) : pseudonyms.ip4(written);
    if (kind === 'name' || kind === 'address') return pseudonyms.words(kind, written);
    return pseudonyms.token(written);
  };
}

function phone(written: string, pseudonyms: Pseudonyms): string {
  const digits = narrowDigits(written);
  if (isMaskedNumber(digits)) return written;
  const code = /^(?:00)?86(?=1[3-9]\d{9}$)/.exec(digits)?.[0] ?? '';
  const national = digits.slice(code.length);
  const abroad = /^[+＋]/.test(written.trim()) && code === '';
  if (!abroad && /^1[3-9]\d{9}$/.test(national)) return regrouped(written, code + pseudonyms.mobile(national));
  if (!abroad) return regrouped(written, pseudonyms.phone(digits));
  return digits.startsWith('999') ? written : regrouped(written, pseudonyms.international(digits));
}

function card(written: string, pseudonyms: Pseudonyms): string {
  const digits = narrowDigits(written);
  if (isMaskedNumber(digits)) return written;
  return digits.length < 12 || /\p{L}/u.test(written)
    ? pseudonyms.token(written)
    : regrouped(written, pseudonyms.card(digits));
}

/** A resident's number stays one of digits; a passport's or any other becomes a word. */
function id(written: string, pseudonyms: Pseudonyms): string {
  const number = written.replace(/[ -]/g, '');
  if (!/^(?:\d{17}[\dXx]|\d{15})$/.test(number)) return pseudonyms.token(written);
  return isMaskedNumber(number) ? written : regrouped(written, pseudonyms.residentId(number), /[\dXx]/g);
}

function narrowDigits(text: string): string {
  return text.replace(/[０-９]/g, (wide) => String(wide.charCodeAt(0) - 0xff10)).replace(/\D/g, '');
}

/** The digits in the places of those that were written. */
function regrouped(written: string, digits: string, place = /[\d０-９]/g): string {
  let at = 0;
  return written.replace(place, () => digits[at++] ?? '');
}
