import { promisify } from 'node:util';
import { brotliDecompress, gunzip, inflate, zstdDecompress } from 'node:zlib';

const UNPACK: Readonly<Record<string, (bytes: Buffer, mostBytes: number) => Promise<Buffer>>> = {
  gzip: (bytes, maxOutputLength) => promisify<Buffer, object, Buffer>(gunzip)(bytes, { maxOutputLength }),
  'x-gzip': (bytes, maxOutputLength) => promisify<Buffer, object, Buffer>(gunzip)(bytes, { maxOutputLength }),
  deflate: (bytes, maxOutputLength) => promisify<Buffer, object, Buffer>(inflate)(bytes, { maxOutputLength }),
  br: (bytes, maxOutputLength) => promisify<Buffer, object, Buffer>(brotliDecompress)(bytes, { maxOutputLength }),
  zstd: (bytes, maxOutputLength) => promisify<Buffer, object, Buffer>(zstdDecompress)(bytes, { maxOutputLength }),
};

/** A body as far as it was kept. `mark` says why it is not whole, in the header `x-seawall-cut`. */
export interface KeptText {
  text: string | undefined;
  mark: string | undefined;
}

/** Keeps the first bytes of a body that passes by. */
export class KeptBody {
  readonly #mostBytes: number;
  #chunks: Buffer[] = [];
  #kept = 0;
  /** All that passed, kept or not. */
  bytes = 0;

  constructor(mostBytes: number) {
    this.#mostBytes = mostBytes;
  }

  add(chunk: Buffer): void {
    this.bytes += chunk.length;
    const room = this.#mostBytes - this.#kept;
    if (room <= 0) return;
    // A copy: the piece is the parser's, and may be part of a larger one.
    const kept = Buffer.from(chunk.subarray(0, room));
    this.#chunks.push(kept);
    this.#kept += kept.length;
  }

  /** The body as text, unpacked; what is none, or was packed and is not whole, is left out and marked. */
  async text(encoding: string | undefined): Promise<KeptText> {
    if (this.bytes === 0) return { text: undefined, mark: undefined };
    const whole = this.#kept === this.bytes;
    const bytes = Buffer.concat(this.#chunks);
    this.#chunks = [];
    const packed = (encoding ?? 'identity').trim().toLowerCase();
    if (packed === 'identity') return textOf(bytes, whole, this.bytes);
    const unpack = Object.hasOwn(UNPACK, packed) ? UNPACK[packed] : undefined;
    if (unpack === undefined || !whole) return leftOut(`${this.bytes} bytes of ${packed}`);
    try {
      return textOf(await unpack(bytes, this.#mostBytes), true, this.bytes);
    } catch {
      // Not what its header says, or larger than what is kept: the mark tells, and nothing unmasked is written.
      return leftOut(`${this.bytes} bytes of ${packed} that could not be unpacked`);
    }
  }
}

function textOf(bytes: Buffer, whole: boolean, total: number): KeptText {
  // The cut may go through a character.
  const text = new TextDecoder('utf-8').decode(bytes, { stream: !whole });
  if (text.includes('\ufffd') || text.includes('\0')) return leftOut(`${total} bytes that are no text`);
  return { text, mark: whole ? undefined : `${bytes.length} of ${total} bytes kept` };
}

function leftOut(what: string): KeptText {
  return { text: undefined, mark: `left out: ${what}` };
}
