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
