import { isAscii } from 'node:buffer';

const EMPTY = Buffer.alloc(0);
const NEWLINE = 10;
const RETURN = 13;
const BEYOND_ASCII = /[^\0-\x7f]/;

/** A longer line is no access log's: it is passed over and counted. */
export const LONGEST_LINE_BYTES = 1024 * 1024;

export interface LineSink {
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
    let newline = piece.indexOf(NEWLINE);
    let start = 0;
    if (newline !== -1) {
      this.#endRest(piece.subarray(0, newline));
      start = newline + 1;
      newline = piece.indexOf(NEWLINE, start);
    }
    const ascii = isAscii(piece);
    while (newline !== -1) {
      this.#give(piece, start, newline, ascii);
      start = newline + 1;
      newline = piece.indexOf(NEWLINE, start);
    }
    this.#keep(piece.subarray(start));
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
