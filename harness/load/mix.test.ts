import fc from 'fast-check';
import { expect, it } from 'vitest';
import { Mix } from './mix.ts';

const deal = (shares: readonly number[], count: number): number[] => {
  const mix = new Mix(shares);
  return Array.from({ length: count }, () => mix.next());
};

it('keeps every journey within 1 of its share over every prefix', () => {
  fc.assert(
    fc.property(fc.array(fc.integer({ min: 0, max: 100 }), { minLength: 1, maxLength: 12 }), (weights) => {
      const total = weights.reduce((sum, weight) => sum + weight, 0);
      fc.pre(total > 0);
      const shares = weights.map((weight) => weight / total);
      const counts = shares.map(() => 0);
      let farthest = 0;
      deal(shares, 600).forEach((chosen, index) => {
        counts[chosen]!++;
        const off = shares.map((share, journey) => Math.abs(counts[journey]! - share * (index + 1)));
        farthest = Math.max(farthest, ...off);
      });
      expect(farthest).toBeLessThan(1 + 1e-6);
    }),
    { numRuns: 100 },
  );
});

it('is exact at the end of a whole round, stripes, and is the same every time', () => {
  const dealt = deal([0.7, 0.2, 0.1], 1000);
  expect([0, 1, 2].map((journey) => dealt.filter((chosen) => chosen === journey).length)).toEqual([700, 200, 100]);
  expect(dealt).toEqual(deal([0.7, 0.2, 0.1], 1000));
  expect(new Set(dealt.slice(0, 10))).toEqual(new Set([0, 1, 2]));
});

it('never deals a journey without a share', () => {
  expect(new Set(deal([0, 1, 0], 50))).toEqual(new Set([1]));
});
