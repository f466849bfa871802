import { DEPTH_MAX, type SecretContext } from './secret-context.ts';
import type { TextEdits } from './text-edits.ts';
import { decoded, encoded } from './url-coding.ts';

const BASE64 = /[A-Za-z0-9+/_-]{16,}={0,2}/g;
/** What stands between the signs that structure an address. */
const PIECE = /[^\s"'<>/?&=;,#|]+/g;
const UNICODE_ESCAPE = /\\u([0-9a-fA-F]{4})/g;
const NO_TEXT = /(?![\t\n\r])\p{Cc}/u;
/** The first bytes tell most of what is not a text. */
const LOOK_BYTES = 12;

/** Private values inside base64 and percent-encoding; what changes is encoded again the way it was. */
export function findEncoded(text: string, edits: TextEdits, context: SecretContext): void {
  const { depth } = context;
  if (depth >= DEPTH_MAX) return;
  if (text.includes('%')) {
    for (const { index, 0: written } of text.matchAll(PIECE)) {
      const value = written.includes('%') ? decoded(written) : undefined;
      if (value === undefined || !edits.isFree(index, index + written.length)) continue;
      const masked = context.body(value, depth + 1);
      if (masked !== value) edits.add(index, index + written.length, encoded(masked));
    }
  }
  for (const { index, 0: written } of text.matchAll(BASE64)) {
    const value = textOfBase64(written);
    if (value === undefined || !edits.isFree(index, index + written.length)) continue;
    const masked = context.body(value, depth + 1);
    if (masked !== value) edits.add(index, index + written.length, asBase64(masked, written));
  }
}

/** Text with its `\u0031` written out, other escapes kept; undefined where there is none that hides a character. */
export function withoutEscapes(text: string): string | undefined {
  if (!text.includes('\\u')) return undefined;
  const plain = text.replace(UNICODE_ESCAPE, (written, hex: string) => {
    const character = String.fromCharCode(Number.parseInt(hex, 16));
    return /[\p{L}\p{N}@.:=+ -]/u.test(character) ? character : written;
  });
  return plain === text ? undefined : plain;
}

/** The text that a run of base64 stands for; undefined where its bytes are none. */
export function textOfBase64(run: string): string | undefined {
  const bare = run.replace(/=+$/, '');
  if (bare.length % 4 === 1) return undefined;
  const head = Buffer.from(bare.slice(0, (LOOK_BYTES / 3) * 4), 'base64');
  // Nine bytes in ten of a text in one of these scripts are either printable or part of a longer character.
  if (head.some((byte) => (byte < 32 && byte !== 9 && byte !== 10 && byte !== 13) || byte === 127)) return undefined;
  const bytes = Buffer.from(bare, 'base64');
  const value = bytes.toString('utf8');
  return value.includes('\ufffd') || NO_TEXT.test(value) ? undefined : value;
}

function asBase64(value: string, like: string): string {
  const url = /[-_]/.test(like) || (!/[+/=]/.test(like) && like.length % 4 !== 0);
  return Buffer.from(value).toString(url ? 'base64url' : 'base64');
}
