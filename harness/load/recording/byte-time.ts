import { type Piece, pieceOf, sameBytes } from './byte-cache.ts';
import type { LogTime, TimeReader } from './log-time.ts';

const LONGEST = 64;

/** Reads the time of a field; one that is the same as the last is not read again, as seconds have many lines. */
export class ByteTime {
  readonly #read: TimeReader;
  readonly #last = pieceOf(Buffer.alloc(LONGEST));
  readonly #time: LogTime = { ms: Number.NaN, wholeSecond: false };
  #length = 0;

  constructor(read: TimeReader) {
    this.#read = read;
  }

  /** Whether the field read last told no part of a second. */
  get wholeSecond(): boolean {
    return this.#time.wholeSecond;
  }

  /** Epoch ms; NaN: this is not a time. */
  ms({ bytes, view }: Piece, start: number, end: number): number {
    const length = end - start;
    if (length === this.#length && sameBytes(this.#last.view, 0, view, start, length)) return this.#time.ms;
    this.#read(bytes.toString('latin1', start, end), 0, length, this.#time);
    this.#length = length <= LONGEST ? length : 0;
    if (length <= LONGEST) bytes.copy(this.#last.bytes, 0, start, end);
    return this.#time.ms;
  }
}

const ZERO = 48;
const POINT = 46;

/** What `decimal` of log-time.ts reads, from bytes. */
export function decimalBytes(bytes: Buffer, start: number, end: number): number {
  let value = 0;
  let scale = 0;
  if (start >= end) return Number.NaN;
  for (let at = start; at < end; at++) {
    const digit = bytes[at]! - ZERO;
    if (digit >= 0 && digit <= 9) {
      value = value * 10 + digit;
      if (scale > 0) scale *= 10;
    } else if (digit === POINT - ZERO && scale === 0 && end - start > 1) scale = 1;
    else return Number.NaN;
  }
  return scale > 1 ? value / scale : value;
}
