import { isPseudonym } from './pseudonyms.ts';
import type { SecretContext } from './secret-context.ts';
import type { TextEdits } from './text-edits.ts';

const USER_INFO = /:\/\/([^\s/@?#"'<>\\]{1,256})@/g;
const SCHEME = /\b(?:bearer|basic)\s{1,4}([\w.~+/=-]{4,8192})/gi;
/** Keys whose makers gave them a form of their own. */
const ISSUED =
  /\b(?:(?:AKIA|ASIA)[A-Z0-9]{16}|LTAI[A-Za-z0-9]{12,24}|AKID[A-Za-z0-9]{16,40}|gh[oprsu]_[A-Za-z0-9]{20,255}|github_pat_\w{20,255}|glpat-[\w-]{20,64}|xox[abeprs]-[\w-]{10,255}|[rs]k_(?:live|test)_[A-Za-z0-9]{10,255}|sk-[\w-]{20,255}|AIza[\w-]{35})(?![A-Za-z0-9])/g;
const MAYBE_ISSUED = /AKI|ASIA|LTAI|gh[oprsu]_|github_pat_|glpat-|xox|[rs]k_|sk-|AIza/;
const KEY_BLOCK = /-----BEGIN [A-Z ]{0,40}PRIVATE KEY-----/g;

/** Tokens and passwords that are known by their own form. */
export function findCredentials(text: string, edits: TextEdits, context: SecretContext): void {
  if (!context.rules.has('token')) return;
  const take = (start: number, end: number): void => {
    if (end <= start || !edits.isFree(start, end)) return;
    const written = text.slice(start, end);
    // What is masked already is taken all the same, so that nobody else reads it as something new.
    edits.add(start, end, isPseudonym(written) ? written : context.replace('token', written));
  };
  if (text.includes('://')) {
    for (const match of text.matchAll(USER_INFO)) takeUserInfo(text, match, edits, context);
  }
  if (text.includes('eyJ')) for (const [start, end] of webTokens(text)) take(start, end);
  if (/bearer|basic/i.test(text)) {
    for (const match of text.matchAll(SCHEME)) {
      const end = match.index + match[0].length;
      const start = end - match[1]!.length;
      if (/^bearer/i.test(match[0]) || isBasic(match[1]!)) take(start, end);
    }
  }
  if (MAYBE_ISSUED.test(text))
    for (const { index, 0: found } of text.matchAll(ISSUED)) take(index, index + found.length);
  if (text.includes('PRIVATE KEY')) for (const [start, end] of keyBlocks(text)) take(start, end);
}

/** `scheme://user:password@host`: both before the at sign; the host is no mail's domain. */
function takeUserInfo(text: string, match: RegExpExecArray, edits: TextEdits, context: SecretContext): void {
  const start = match.index + '://'.length;
  const written = match[1]!;
  const end = start + written.length;
  let host = end + 1;
  while (host < text.length && /[\w.:-]/.test(text[host]!)) host += 1;
  if (!edits.isFree(start, host)) return;
  const by = isPseudonym(written) ? written : context.replace('token', written);
  edits.add(start, host, by + text.slice(end, host));
}

/** Where the JSON web tokens stand: two or three parts of base64 with dots between, the first an object. */
function* webTokens(text: string): Generator<[number, number], void, undefined> {
  for (let start = text.indexOf('eyJ'); start >= 0; ) {
    let end = start;
    const dots: number[] = [];
    // A third dot is behind the token: whatever follows may be another one.
    while (end < text.length && dots.length < 3 && isTokenCharacter(text.charCodeAt(end))) {
      if (text[end] === '.') dots.push(end);
      end += 1;
    }
    if (dots.length === 3) end -= 1;
    const [first, second = end] = dots;
    if (first !== undefined && first - start >= 8 && second - first > 2) yield [start, end];
    start = text.indexOf('eyJ', Math.max(end, start + 1));
  }
}

function isTokenCharacter(code: number): boolean {
  return (
    (code >= 48 && code <= 57) ||
    (code >= 65 && code <= 90) ||
    (code >= 97 && code <= 122) ||
    code === 95 ||
    code === 45 ||
    code === 46
  );
}

/** The base64 of `user:password`; the word basic stands in many sentences. */
function isBasic(text: string): boolean {
  return isPseudonym(text) || /^[\x20-\x7e]*:[\x20-\x7e]*$/.test(Buffer.from(text, 'base64').toString('latin1'));
}

function* keyBlocks(text: string): Generator<[number, number], void, undefined> {
  for (const { index, 0: head } of text.matchAll(KEY_BLOCK)) {
    const from = index + head.length;
    const end = text.indexOf('-----END', from);
    yield [from, end < 0 ? text.length : end];
  }
}
