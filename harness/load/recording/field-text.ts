import type { LineFormat } from './line-format.ts';

/** All but visible ASCII; the quote and the hash sign too. */
const UNSAFE = /[^\x21\x24-\x7e]/;

/** Undoes what a log's writer did to bytes that could not stand as they were; one char a byte, before and after. */
export function undoEscapes(text: string, escapes: LineFormat['escapes']): string {
  switch (escapes) {
    case 'none':
      return text;
    case 'hash':
      return text.replaceAll(/#([\dA-Fa-f]{2})/g, (_, hex: string) => fromHex(hex));
    case 'hex':
      return text.replaceAll(/\\(?:x([\dA-Fa-f]{2})|(.))/gs, fromBackslash);
    case 'json': {
      const plain = utf8Of(text).replaceAll(/\\(?:u([\dA-Fa-f]{4})|(.))/gs, fromBackslash);
      return Buffer.from(plain).toString('latin1');
    }
  }
}

/** A path as it went over the wire: bytes that no request line can hold are percent-encoded, those that can are kept. */
export function encodePath(text: string): string {
  return UNSAFE.test(text) ? text.replaceAll(/[^\x21\x24-\x7e]/g, percent) : text;
}

/** The path that a server decoded, encoded again: its percent signs and question marks were data. */
export function encodeDecodedPath(text: string): string {
  return text.replaceAll(/[^\x21\x24-\x7e]|[%?]/g, percent);
}

function percent(char: string): string {
  return `%${char.charCodeAt(0).toString(16).toUpperCase().padStart(2, '0')}`;
}

const CONTROLS: Record<string, string> = { n: '\n', t: '\t', r: '\r', b: '\b', f: '\f', v: '\v' };

function fromBackslash(_whole: string, hex: string | undefined, letter: string): string {
  return hex === undefined ? (CONTROLS[letter] ?? letter) : fromHex(hex);
}

function fromHex(hex: string): string {
  return String.fromCharCode(Number.parseInt(hex, 16));
}

function utf8Of(latin1: string): string {
  return Buffer.from(latin1, 'latin1').toString('utf8');
}
