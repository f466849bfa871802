import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { AliasTable } from './alias-table.ts';
import { seeded } from './random.ts';

/** The exact chance of each index: the slots and the coins enumerated on a fine grid. */
function shares(weights: readonly number[]): number[] {
  const table = AliasTable.of(Float64Array.from(weights));
  const n = weights.length;
  const coins = 2000;
  const hits = new Array<number>(n).fill(0);
  for (let slot = 0; slot < n; slot++) {
    for (let coin = 0; coin < coins; coin++) {
      const draws = [(slot + 0.5) / n, (coin + 0.5) / coins];
      hits[table.draw(() => draws.shift()!)]! += 1;
    }
  }
  return hits.map((count) => count / (n * coins));
}

describe('AliasTable', () => {
  it('gives each index its share of the weight', () => {
    const weights = fc.array(fc.integer({ min: 0, max: 1000 }), { minLength: 1, maxLength: 40 });
    fc.assert(
      fc.property(weights, (drawn) => {
        fc.pre(drawn.some((weight) => weight > 0));
        const total = drawn.reduce((sum, weight) => sum + weight, 0);
        shares(drawn).forEach((share, index) => {
          expect(Math.abs(share - drawn[index]! / total)).toBeLessThan(0.001);
          // What weighs nothing is never drawn, not even nearly.
          expect(drawn[index] === 0 && share > 0).toBe(false);
        });
      }),
      { numRuns: 200, seed: 5 },
    );
  });

  it('holds for a Zipf law over a million rows', () => {
    const weights = Float64Array.from({ length: 1_000_000 }, (_, index) => 1 / (index + 1));
    const table = AliasTable.of(weights);
    const random = seeded(9);
    let first = 0;
    const draws = 200_000;
    for (let n = 0; n < draws; n++) if (table.draw(() => random.next()) === 0) first++;
    // The harmonic number of a million is 14.3927: the first row has 6.95 % of the draws.
    expect(Math.abs(first / draws - 1 / 14.3927)).toBeLessThan(0.003);
  });

  it('refuses weights that are none', () => {
    expect(() => AliasTable.of(Float64Array.of(0, 0))).toThrow(RangeError);
    expect(() => AliasTable.of(Float64Array.of(Number.NaN))).toThrow(RangeError);
  });
});
