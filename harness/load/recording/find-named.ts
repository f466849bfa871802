import type { SecretContext } from './secret-context.ts';
import type { TextEdits } from './text-edits.ts';
import { onDecoded } from './url-coding.ts';

const KEY_MAX = 64;
const VALUE_MAX = 16_384;
const SPACES_MAX = 4;
const SCHEME = /^(?:bearer|basic|digest|negotiate|token|apikey|aws4-hmac-sha256)\s+/i;
/** `Zhang San`: a name that stands in running text goes on as long as its words begin with capitals. */
const MORE_OF_A_NAME = /^(?: [A-Z][\w'.-]*){1,3}/;
const SEPARATORS = /[=:>]/g;

/** Values behind a key that says what they are: `key=value`, `key: "value"`, `<key>value</key>`, quotes escaped or not. */
export function findNamed(text: string, edits: TextEdits, context: SecretContext): void {
  let done = 0;
  for (const { index, 0: separator } of text.matchAll(SEPARATORS)) {
    if (index < done) continue;
    const key = separator === '>' ? tagBefore(text, index) : keyBefore(text, index);
    const kind = key === '' ? undefined : context.rules.classOf(key);
    if (kind === undefined) continue;
    const found = separator === '>' ? insideTag(text, index + 1) : valueAfter(text, index + 1, key, kind);
    if (found === undefined || !edits.isFree(found.start, found.end)) continue;
    const written = text.slice(found.start, found.end);
    const by = onDecoded(written, (value) => context.byKey(kind, value, context.depth));
    done = found.end;
    if (by !== written) edits.add(found.start, found.end, by);
  }
}

function keyBefore(text: string, separator: number): string {
  let end = separator;
  while (end > 0 && separator - end < SPACES_MAX && text[end - 1] === ' ') end -= 1;
  if (text[end - 1] === '"' || text[end - 1] === "'") {
    end -= 1;
    while (text[end - 1] === '\\') end -= 1;
  }
  let start = end;
  while (start > 0 && end - start < KEY_MAX && isKeyCharacter(text.charCodeAt(start - 1))) start -= 1;
  return text.slice(start, end);
}

function tagBefore(text: string, close: number): string {
  const open = text.lastIndexOf('<', close);
  if (open < 0 || close - open > 4 * KEY_MAX || text[close - 1] === '/') return '';
  return /^<([\w:.\u0080-\uffff-]{1,64})(?:\s|$)/.exec(text.slice(open, close))?.[1]?.replace(/^.*:/, '') ?? '';
}

/** Letters, digits and what joins them, any script. */
function isKeyCharacter(code: number): boolean {
  return (
    (code >= 97 && code <= 122) ||
    (code >= 65 && code <= 90) ||
    (code >= 48 && code <= 57) ||
    code === 95 ||
    code === 45 ||
    code === 46 ||
    code === 91 ||
    code === 93 ||
    (code > 0xff && !(code >= 0x3000 && code <= 0x303f) && code < 0xff00)
  );
}

function insideTag(text: string, start: number): { start: number; end: number } | undefined {
  const end = text.indexOf('<', start);
  return end < 0 || end === start || end - start > VALUE_MAX ? undefined : { start, end };
}

function valueAfter(text: string, from: number, key: string, kind: string): { start: number; end: number } | undefined {
  let start = from;
  while (start - from < SPACES_MAX && text[start] === ' ') start += 1;
  const quote = /^\\*["']/.exec(text.slice(start, start + 16))?.[0];
  if (quote !== undefined) {
    start += quote.length;
    return { start, end: closing(text, start, quote) };
  }
  if (/[{[<]/.test(text[start] ?? '')) return undefined;
  if (/^(?:set-)?cookie$/i.test(key)) return nonEmpty(start, until(text, start, /[\r\n"'<>]/g));
  const scheme = kind === 'token' ? SCHEME.exec(text.slice(start, start + 40))?.[0] : undefined;
  if (scheme !== undefined) return nonEmpty(start, until(text, start + scheme.length, /[\s;&"'<>}]/g));
  let end = until(text, start, /[\s,;&"'<>}\])|]/g);
  if (kind === 'name' || kind === 'address') end += MORE_OF_A_NAME.exec(text.slice(end, end + 120))?.[0].length ?? 0;
  return nonEmpty(start, end);
}

function nonEmpty(start: number, end: number): { start: number; end: number } | undefined {
  return end > start ? { start, end } : undefined;
}

function until(text: string, start: number, stop: RegExp): number {
  stop.lastIndex = start;
  const end = stop.exec(text)?.index ?? text.length;
  return Math.min(end, start + VALUE_MAX);
}

/** Where the same quote stands again that is not itself escaped; a text that was cut ends where it ends. */
function closing(text: string, start: number, quote: string): number {
  const last = Math.min(text.length, start + VALUE_MAX);
  for (let at = text.indexOf(quote, start); at >= 0 && at < last; at = text.indexOf(quote, at + 1)) {
    if (text[at - 1] !== '\\' || at === start) return at;
  }
  return last;
}
