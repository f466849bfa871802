import { isAscii } from 'node:buffer';
import { type Piece, pieceOf } from './byte-cache.ts';

const EMPTY = Buffer.alloc(0);
const NEWLINE = 10;
const RETURN = 13;
const BEYOND_ASCII = /[^\0-\x7f]/;

/** A longer line is no access log's: it is passed over and counted. */
export const LONGEST_LINE_BYTES = 1024 * 1024;

export interface LineSink {
  /** May take the line that begins at `from` as bytes: where the next one begins; -1: it is wanted as a text. */
  take(piece: Piece, from: number): number;
  /** One line without its end (`\n` or `\r\n`), one char a byte; `ascii`: none is above 127. */
  line(text: string, ascii: boolean): void;
  /** A line longer than LONGEST_LINE_BYTES. */
  tooLong(): void;
}

/** Cuts pieces of bytes into lines, wherever the pieces' borders lie. */
export class LineSplitter {
  readonly #sink: LineSink;
  #rest: Buffer = EMPTY;
  #skipping = false;

  constructor(sink: LineSink) {
    this.#sink = sink;
  }

  /** The piece is not kept: its bytes may be used again afterwards. */
  push(piece: Buffer): void {
    const newline = piece.indexOf(NEWLINE);
    if (newline === -1) {
      this.#keep(piece);
      return;
    }
    this.#endRest(piece.subarray(0, newline));
    this.#keep(piece.subarray(this.#giveAll(piece, newline + 1)));
  }

  /** All whole lines from `start` on; where the rest begins. */
  #giveAll(bytes: Buffer, from: number): number {
    const piece = pieceOf(bytes);
    let start = from;
    let ascii: boolean | undefined;
    for (;;) {
      const next = this.#sink.take(piece, start);
      if (next !== -1) {
        start = next;
        continue;
      }
      const newline = bytes.indexOf(NEWLINE, start);
      if (newline === -1) return start;
      ascii ??= isAscii(bytes);
      this.#give(bytes, start, newline, ascii);
      start = newline + 1;
    }
  }

  /** The last line, when the bytes did not end with a newline. */
  end(): void {
    if (this.#rest.length > 0) this.#give(this.#rest, 0, this.#rest.length, isAscii(this.#rest));
    this.#rest = EMPTY;
  }

  /** The first newline of a piece ends what came before. */
  #endRest(bytes: Buffer): void {
    const whole = this.#rest.length === 0 ? bytes : Buffer.concat([this.#rest, bytes]);
    this.#rest = EMPTY;
    if (this.#skipping) this.#skipping = false;
    else this.#give(whole, 0, whole.length, isAscii(whole));
  }

  #keep(bytes: Buffer): void {
    if (this.#skipping) return;
    this.#rest = this.#rest.length === 0 ? Buffer.from(bytes) : Buffer.concat([this.#rest, bytes]);
    if (this.#rest.length <= LONGEST_LINE_BYTES) return;
    this.#skipping = true;
    this.#rest = EMPTY;
    this.#sink.tooLong();
  }

  #give(bytes: Buffer, start: number, newline: number, ascii: boolean): void {
    if (newline - start > LONGEST_LINE_BYTES) {
      this.#sink.tooLong();
      return;
    }
    const end = newline > start && bytes[newline - 1] === RETURN ? newline - 1 : newline;
    const text = bytes.toString('latin1', start, end);
    this.#sink.line(text, ascii || !BEYOND_ASCII.test(text));
  }
}
