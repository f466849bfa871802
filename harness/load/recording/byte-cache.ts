const LENGTH_BITS = 16;
/** Of a longer run so many words at even distances make its hash. */
const WORDS_HASHED = 16;

/** Bytes and a view of the same: four at a time are read through it three times as fast as one by one. */
export interface Piece {
  readonly bytes: Buffer;
  readonly view: DataView;
}

export function pieceOf(bytes: Buffer): Piece {
  return { bytes, view: new DataView(bytes.buffer, bytes.byteOffset, bytes.length) };
}

/** Whether `length` bytes from two places are the same. */
export function sameBytes(one: DataView, at: number, other: DataView, from: number, length: number): boolean {
  let step = 0;
  for (; step + 4 <= length; step += 4)
    if (one.getInt32(at + step, true) !== other.getInt32(from + step, true)) return false;
  for (; step < length; step++) if (one.getUint8(at + step) !== other.getUint8(from + step)) return false;
  return true;
}

function hashBytes(view: DataView, start: number, end: number): number {
  const words = (end - start) >> 2;
  const step = words > WORDS_HASHED ? 4 * Math.ceil(words / WORDS_HASHED) : 4;
  let hash = end - start;
  let at = start;
  for (; at + 4 <= end; at += step) {
    hash = Math.imul(hash ^ view.getInt32(at, true), 0x5bd1e995);
    hash ^= hash >>> 15;
  }
  // The end of a long run tells much: of user agents, the version.
  if (words > 0) hash = Math.imul(hash ^ view.getInt32(end - 4, true), 0x5bd1e995);
  else for (; at < end; at++) hash = Math.imul(hash ^ view.getUint8(at), 0x01000193);
  hash = Math.imul(hash ^ (hash >>> 15), 0x2c1b3c6d);
  return hash ^ (hash >>> 13);
}

/**
 * What belongs to short runs of bytes, in constant memory: keys of up to `longest` bytes lie side by side in one buffer.
 * Each key has two places, and the newest pushes out the oldest. `also`, 32 bits, is part of the key.
 */
export class ByteCache<V> {
  readonly longest: number;
  readonly #places: number;
  readonly #keys: Piece;
  /** The key's hash and length; 0: nobody's place. */
  readonly #marks: Float64Array;
  readonly #values: (V | undefined)[];
  /** Of the key that was looked for last: where it would go. */
  #place = 0;
  #mark = 0;

  constructor(size: number, longest: number) {
    const length = 2 ** Math.ceil(Math.log2(Math.max(2, size)));
    this.longest = longest;
    this.#places = length - 2;
    this.#keys = pieceOf(Buffer.alloc(length * longest));
    this.#marks = new Float64Array(length);
    this.#values = new Array<V | undefined>(length).fill(undefined);
  }

  /** Undefined: not known, and `put` may say what it is. The run is no longer than `longest`. */
  get(view: DataView, start: number, end: number, also = 0): V | undefined {
    const length = end - start;
    const hash = hashBytes(view, start, end) ^ Math.imul(also, 0x9e3779b1);
    const first = (hash ^ (hash >>> 17)) & this.#places;
    // The whole hash is in the mark: with the same bytes it is the same for the same `also` and for no other.
    const mark = ((hash >>> 0) + 1) * 2 ** LENGTH_BITS + length;
    const keys = this.#keys.view;
    this.#place = first;
    this.#mark = mark;
    if (this.#marks[first] === mark && sameBytes(keys, first * this.longest, view, start, length))
      return this.#values[first];
    const second = first + 1;
    if (this.#marks[second] !== mark || !sameBytes(keys, second * this.longest, view, start, length)) return undefined;
    return this.#values[second];
  }

  /** For the run that `get` was asked for last. */
  put(bytes: Buffer, start: number, end: number, value: V): void {
    const first = this.#place;
    const { longest } = this;
    const keys = this.#keys.bytes;
    if (this.#marks[first] !== 0) {
      keys.copyWithin((first + 1) * longest, first * longest, (first + 1) * longest);
      this.#marks[first + 1] = this.#marks[first]!;
      this.#values[first + 1] = this.#values[first];
    }
    bytes.copy(keys, first * longest, start, end);
    this.#marks[first] = this.#mark;
    this.#values[first] = value;
  }
}
