import { isIPv6 } from 'node:net';
import { isPseudonym, PSEUDONYMS } from './pseudonyms.ts';
import type { SecretContext } from './secret-context.ts';
import type { TextEdits } from './text-edits.ts';

const LOCAL_MAX = 64;
const DOMAIN_MAX = 253;
const LOCAL = /[\p{L}\p{N}._%+'-]/u;
const DOMAIN = /[\p{L}\p{N}.-]/u;
/** A top-level domain, of any script. */
const TOP = /\.\p{L}[\p{L}\p{N}-]*$/u;
/** `logo@2x.png` is a picture for fine screens. */
const PICTURE = /^[1-4]x\.(?:png|jpe?g|gif|webp|svg|avif)$/i;

/** Mail addresses, found from their at signs; both sides are read a bounded way. */
export function findMails(text: string, edits: TextEdits, context: SecretContext): void {
  if (!context.rules.has('mail')) return;
  for (let at = text.indexOf('@'); at >= 0; at = text.indexOf('@', at + 1)) {
    let start = at;
    while (start > 0 && at - start < LOCAL_MAX && LOCAL.test(text[start - 1]!)) start -= 1;
    let end = at + 1;
    while (end < text.length && end - at <= DOMAIN_MAX && DOMAIN.test(text[end]!)) end += 1;
    while (end > at + 1 && /[.-]/.test(text[end - 1]!)) end -= 1;
    while (start < at && /[.'%]/.test(text[start]!)) start += 1;
    const domain = text.slice(at + 1, end);
    const written = text.slice(start, end);
    if (start === at || !TOP.test(domain) || PICTURE.test(domain)) continue;
    if (isPseudonym(written) || context.rules.keeps(written) || !edits.isFree(start, end)) continue;
    edits.add(start, end, context.replace('mail', written));
  }
}

const IP4 = /(?:25[0-5]|2[0-4]\d|1?\d?\d)(?:\.(?:25[0-5]|2[0-4]\d|1?\d?\d)){3}/g;
const IP6 = /[0-9a-f:]{2,39}/gi;

/** IP addresses, where the rules ask for them; this machine's own and those that nobody has may stay. */
export function findIps(text: string, edits: TextEdits, context: SecretContext): void {
  if (!context.rules.has('ip')) return;
  for (const { index, 0: written } of text.matchAll(IP4)) {
    const end = index + written.length;
    // Part of a longer number or name, or a product's version as in Chrome/120.0.0.0.
    if (/[\w.]/.test(text[index - 1] ?? ' ') || /^(?:\w|\.\d)/.test(text.slice(end, end + 2))) continue;
    if (text[index - 1] === '/' && /\w/.test(text[index - 2] ?? ' ')) continue;
    if (/^(?:127|0|24\d|25\d)\./.test(written)) continue;
    take(index, end, written, edits, context);
  }
  for (const { index, 0: written } of text.matchAll(IP6)) {
    if (written.split(':').length < 3 || !isIPv6(written) || /^(?:::1?$|2001:db8:)/i.test(written)) continue;
    take(index, index + written.length, written, edits, context);
  }
}

function take(start: number, end: number, written: string, edits: TextEdits, context: SecretContext): void {
  if (edits.isFree(start, end) && !context.rules.keeps(written)) edits.add(start, end, context.replace('ip', written));
}

/** What a user's own patterns say is private. */
export function findPatterns(text: string, edits: TextEdits, context: SecretContext): void {
  if (context.rules.patterns.length === 0) return;
  // A pattern may be wide enough for what stands in place of values: that stays.
  for (const { index, 0: masked } of text.matchAll(PSEUDONYMS)) edits.add(index, index + masked.length, masked);
  for (const { class: kind, matches } of context.rules.patterns) {
    for (const { index, 0: written } of text.matchAll(matches)) {
      const end = index + written.length;
      if (written === '' || context.rules.keeps(written) || !edits.isFree(index, end)) continue;
      edits.add(index, end, context.replace(kind, written));
    }
  }
}
