import { createHash } from 'node:crypto';

/** Seeded chance (xoshiro128**). The same seed and fork names give the same numbers on every machine. */
export interface Random {
  /** Uniform in [0, 1). */
  next(): number;
  /** Uniform integer in [from, to], both included. */
  integer(from: number, to: number): number;
  /** An independent stream; drawing from it does not move this one. */
  fork(name: string): Random;
}

export function seeded(seed: number | string): Random {
  const root = String(seed);
  const digest = createHash('sha256').update(root).digest();
  const s = Uint32Array.from([0, 4, 8, 12], (offset) => digest.readUInt32LE(offset));
  const next = (): number => {
    const [a, b, c, d] = [s[0]!, s[1]!, s[2]!, s[3]!];
    const result = Math.imul(rotateLeft(Math.imul(b, 5), 7), 9) >>> 0;
    s[2] = c ^ a;
    s[3] = d ^ b;
    s[1] = b ^ s[2]!;
    s[0] = a ^ s[3]!;
    s[2] = s[2]! ^ (b << 9);
    s[3] = rotateLeft(s[3]!, 11);
    return result / 2 ** 32;
  };
  return {
    next,
    integer: (from, to) => from + Math.floor(next() * (to - from + 1)),
    fork: (name) => seeded(`${root}/${name}`),
  };
}

function rotateLeft(value: number, bits: number): number {
  return (value << bits) | (value >>> (32 - bits));
}

/**
 * Many short streams of chance under one root, each found by a number and a purpose in a few nanoseconds: what one journey
 * draws is the same whatever the others do, and whoever computes it. Not for secrets.
 */
export class Chance {
  readonly #key = new Uint32Array(4);
  readonly #state = new Uint32Array(4);

  constructor(root: string) {
    const digest = createHash('sha256').update(root).digest();
    for (let word = 0; word < 4; word++) this.#key[word] = digest.readUInt32LE(word * 4);
  }

  /** The draws that follow are those of this stream, from its first. `number` is whole and below 2^53. */
  seek(number: number, purpose: number): this {
    const low = number >>> 0;
    const high = Math.floor(number / 2 ** 32);
    const mixed = mix32(Math.imul(low, 0x9e3779b1) ^ Math.imul(purpose + 1, 0x85ebca6b) ^ Math.imul(high, 0xc2b2ae35));
    for (let word = 0; word < 4; word++)
      this.#state[word] = mix32(this.#key[word]! ^ Math.imul(mixed, 2 * word + 1) ^ low);
    // The one state that the generator never leaves.
    this.#state[0] = this.#state[0]! | 1;
    return this;
  }

  /** Uniform among the whole numbers below 2^32 (xoshiro128**, as `seeded`). */
  word(): number {
    const s = this.#state;
    const result = Math.imul(rotateLeft(Math.imul(s[1]!, 5), 7), 9) >>> 0;
    const shifted = s[1]! << 9;
    s[2] = s[2]! ^ s[0]!;
    s[3] = s[3]! ^ s[1]!;
    s[1] = s[1]! ^ s[2]!;
    s[0] = s[0]! ^ s[3]!;
    s[2] = s[2]! ^ shifted;
    s[3] = rotateLeft(s[3]!, 11);
    return result;
  }

  /** Uniform in [0, 1). */
  next(): number {
    return this.word() / 2 ** 32;
  }

  /** Uniform integer in [from, to], both included. */
  integer(from: number, to: number): number {
    return from + Math.floor(this.next() * (to - from + 1));
  }

  /** Eight hex digits a word. */
  hex(words: number): string {
    let text = '';
    for (let word = 0; word < words; word++) text += this.word().toString(16).padStart(8, '0');
    return text;
  }
}

/** The finalizer of MurmurHash3 (Appleby): every bit of the input moves every bit of the output. */
function mix32(value: number): number {
  let mixed = value | 0;
  mixed = Math.imul(mixed ^ (mixed >>> 16), 0x85ebca6b);
  mixed = Math.imul(mixed ^ (mixed >>> 13), 0xc2b2ae35);
  return (mixed ^ (mixed >>> 16)) >>> 0;
}
