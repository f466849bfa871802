import type { Piece } from './byte-cache.ts';
import type { LineScanner } from './line-scanner.ts';

const NEWLINE = 10;
const RETURN = 13;
const SPACE = 32;
const QUOTE = 34;
const SLASH = 47;
const BRACKET = 91;
const BEYOND_ASCII = 128;
/** Four bytes at a time. */
const ONES = 0x01010101;
const SPACES = 0x20202020;
const HIGHS = 0x80808080 | 0;

/**
 * Finds the fields of a line as bytes, its end on the way. It takes a line only when the line is plain (ASCII, without
 * escapes) and has the format's shape; then its fields are those that the LineScanner finds.
 */
export class ByteScanner {
  readonly starts: Int32Array;
  readonly ends: Int32Array;
  readonly #lead: Buffer;
  readonly #after: readonly Buffer[];
  readonly #consumed: Int32Array;
  /** Fields that end at their first quote, or the line has another shape. */
  readonly #strict: Uint8Array;
  readonly #isWord: Uint8Array;
  readonly #lastHasWords: boolean;
  readonly #syslog: boolean;
  /** Bytes that no plain line has before its end. */
  readonly #stop: Uint8Array;
  readonly #fourEscape: number;

  private constructor(shape: LineScanner['shape']) {
    this.starts = new Int32Array(shape.after.length);
    this.ends = new Int32Array(shape.after.length);
    this.#lead = Buffer.from(shape.lead, 'latin1');
    this.#after = shape.after.map((text) => Buffer.from(text, 'latin1'));
    this.#consumed = Int32Array.from(shape.consumed);
    this.#strict = Uint8Array.from(this.#after, (after) => (shape.backslash && after[0] === QUOTE ? 1 : 0));
    this.#isWord = shape.isWord;
    this.#lastHasWords = shape.lastHasWords;
    this.#syslog = shape.syslog;
    this.#stop = stopsOf(shape.escape);
    this.#fourEscape = (shape.escape === '' ? NEWLINE : shape.escape.charCodeAt(0)) * ONES;
  }

  /** Undefined for a format whose lines are never plain. */
  static of({ shape }: LineScanner): ByteScanner | undefined {
    const stop = stopsOf(shape.escape);
    const literals = Buffer.from([shape.lead, ...shape.after].join(''), 'latin1');
    return literals.some((byte) => stop[byte] === 1) ? undefined : new ByteScanner(shape);
  }

  /** Where the next line begins; -1 when this one is not taken, or has no end before `limit`. */
  scan(piece: Piece, from: number, limit: number): number {
    const { bytes } = piece;
    const lead = this.#lead.length;
    let at = this.#syslog ? this.#afterSyslog(bytes, from, limit) : from;
    if (at === -1 || at + lead >= limit || !hasAt(bytes, at, this.#lead)) return -1;
    const last = this.#after.length - 1;
    at += lead;
    for (let field = 0; field < last; field++) {
      const stop = this.#endOf(piece, at, limit, field);
      if (stop === -1 || (this.#isWord[field] === 1 && hasSpace(bytes, at, stop))) return -1;
      this.starts[field] = at;
      this.ends[field] = stop;
      at = stop + this.#consumed[field]!;
    }
    return this.#last(piece, at, limit, last);
  }

  /** Behind the space before the word before the first ` [dd/`; where there is none, the line's begin. */
  #afterSyslog(bytes: Buffer, from: number, limit: number): number {
    let word = from;
    for (let at = from; at < limit; at++) {
      const byte = bytes[at]!;
      if (byte === NEWLINE) return from;
      if (this.#stop[byte] === 1) return -1;
      if (byte !== SPACE) continue;
      if (bytes[at + 1] === BRACKET && bytes[at + 4] === SLASH) return at === from ? -1 : word;
      word = at + 1;
    }
    return -1;
  }

  #endOf({ bytes, view }: Piece, from: number, limit: number, field: number): number {
    const after = this.#after[field]!;
    const first = after[0]!;
    const { length } = after;
    const stop = this.#stop;
    const fourFirst = first * ONES;
    for (let at = from, looked = from; at < limit; at++) {
      if (at === looked) {
        while (at + 4 <= limit && isInside(view.getInt32(at, true), fourFirst, this.#fourEscape)) at += 4;
        looked = at + 4;
      }
      if (at >= limit) return -1;
      const byte = bytes[at]!;
      if (byte === first) {
        if (length === 1 || (at + length <= limit && hasAt(bytes, at, after))) return at;
        if (this.#strict[field] === 1) return -1;
      } else if (stop[byte] === 1) return -1;
    }
    return -1;
  }

  /** The last field ends where the line does, less what follows it. */
  #last({ bytes, view }: Piece, from: number, limit: number, field: number): number {
    const after = this.#after[field]!;
    const isStrict = this.#strict[field] === 1;
    let end = from;
    const fourQuotes = isStrict ? QUOTE * ONES : NEWLINE * ONES;
    while (end + 4 <= limit && isInside(view.getInt32(end, true), fourQuotes, this.#fourEscape)) end += 4;
    while (end < limit && this.#stop[bytes[end]!] === 0 && !(isStrict && bytes[end] === QUOTE)) end++;
    if (isStrict) end += after.length;
    const newline = bytes[end] === RETURN ? end + 1 : end;
    if (newline >= limit || bytes[newline] !== NEWLINE) return -1;
    const stop = end - after.length;
    if (stop < from || !hasAt(bytes, stop, after)) return -1;
    const isOneWord = this.#isWord[field] === 1 || (after.length === 0 && !this.#lastHasWords);
    if (isOneWord && hasSpace(bytes, from, stop)) return -1;
    this.starts[field] = from;
    this.ends[field] = stop;
    return newline + 1;
  }
}

function stopsOf(escapeSign: string): Uint8Array {
  return Uint8Array.from({ length: 256 }, (_, byte) =>
    byte === NEWLINE || byte === RETURN || byte >= BEYOND_ASCII || String.fromCharCode(byte) === escapeSign ? 1 : 0,
  );
}

/** Whether none of four bytes is a control character, beyond ASCII, or one of two others. */
function isInside(four: number, oneFour: number, otherFour: number): boolean {
  const one = four ^ oneFour;
  const other = four ^ otherFour;
  return ((four | ((four - SPACES) & ~four) | ((one - ONES) & ~one) | ((other - ONES) & ~other)) & HIGHS) === 0;
}

function hasAt(bytes: Buffer, at: number, text: Buffer): boolean {
  for (let step = 0; step < text.length; step++) if (bytes[at + step] !== text[step]) return false;
  return true;
}

function hasSpace(bytes: Buffer, start: number, end: number): boolean {
  for (let at = start; at < end; at++) if (bytes[at] === SPACE) return true;
  return false;
}
