import { constants, zstdCompressSync } from 'node:zlib';
import { ByteReader, ByteWriter } from './byte-buffer.ts';
import type { Recorded } from './recorded.ts';
import { readRow, readRowSession, toMicros } from './recorded-row.ts';
import type { RowStore } from './row-store.ts';

/** Measured on an access log: level 3 is 2 % smaller and a third slower, gzip 1 and brotli 1 are larger and slower. */
const LEVEL = 1;

/** Gathers rows and gives them as one compressed block: each behind its time (µs since the one before) and its length. */
export class BlockEncoder {
  readonly #raw = new ByteWriter(1 << 20);
  #lastMicros = 0;
  count = 0;

  /** What the block holds so far, before compression. */
  get rawBytes(): number {
    return this.#raw.length;
  }

  add(atMs: number, rows: RowStore, row: number): void {
    const micros = toMicros(atMs);
    this.#raw.varint(micros - this.#lastMicros);
    this.#lastMicros = micros;
    rows.take(row, this.#raw);
    this.count++;
  }

  /** The compressed block; the encoder is empty afterwards. */
  take(): { stored: Buffer; rawLength: number } {
    const rawLength = this.#raw.length;
    const stored = zstdCompressSync(this.#raw.bytes, { params: { [constants.ZSTD_c_compressionLevel]: LEVEL } });
    this.#raw.clear();
    this.#lastMicros = 0;
    this.count = 0;
    return { stored, rawLength };
  }
}

/** A block's requests, one at a time: nothing is decoded before it is asked for. Throws a RangeError on damage. */
export class BlockDecoder {
  readonly #reader: ByteReader;
  #micros = 0;

  constructor(raw: Buffer) {
    this.#reader = new ByteReader(raw);
  }

  get done(): boolean {
    return this.#reader.left === 0;
  }

  /** The next request; undefined when its session is not wanted. */
  next(wanted: (session: string | undefined) => boolean): Recorded | undefined {
    this.#micros += this.#reader.varint();
    const end = this.#reader.left - this.#rowLength();
    const { flags, session } = readRowSession(this.#reader);
    if (wanted(session)) return readRow(this.#reader, this.#micros / 1000, flags, session);
    this.#reader.skip(this.#reader.left - end);
    return undefined;
  }

  /** Also counts the bytes of the length itself. */
  #rowLength(): number {
    const before = this.#reader.left;
    const length = this.#reader.varint();
    return length + before - this.#reader.left;
  }
}
