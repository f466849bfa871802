import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { compareRounds, hodgesLehmann, median, quantileOf } from './statistics.ts';

describe('the comparison of rounds', () => {
  it('pairs each round with the same round, so that drift common to both cancels', () => {
    const theirs = [10, 20, 40, 80, 160];
    const summary = compareRounds(
      theirs.map((value) => value * 0.7),
      theirs,
    )!;
    expect(summary.rounds).toBe(5);
    for (const figure of [summary.median, summary.min, summary.max, summary.estimate, summary.low, summary.high]) {
      expect(figure).toBeCloseTo(0.7, 10);
    }
  });

  it('leaves out rounds in which one of the two is missing, and is undefined without any', () => {
    expect(compareRounds([1, undefined, 3], [2, 2, undefined])?.rounds).toBe(1);
    expect(compareRounds([undefined, 1], [1, undefined])).toBeUndefined();
    expect(compareRounds([], [])).toBeUndefined();
  });

  it('says how sure its interval is: five rounds cannot give 95 %', () => {
    // P(all five signs alike) = 2/32.
    expect(hodgesLehmann([1, 2, 3, 4, 5])).toEqual({ estimate: 3, low: 1, high: 5, confidence: 0.9375 });
    // Tables of the signed-rank test: n = 10, the 9th smallest and largest Walsh average, 95.1 %.
    const ten = hodgesLehmann([1, 2, 3, 4, 5, 6, 7, 8, 9, 10]);
    expect(ten.confidence).toBeCloseTo(0.9512, 4);
    expect([ten.low, ten.high]).toEqual([3, 8]);
    expect(hodgesLehmann([7]).confidence).toBe(0);
  });

  it('keeps the estimate within its interval and moves with the values', () => {
    fc.assert(
      fc.property(fc.array(fc.integer({ min: -1000, max: 1000 }), { minLength: 1, maxLength: 12 }), (values) => {
        const { estimate, low, high, confidence } = hodgesLehmann(values);
        expect(low).toBeLessThanOrEqual(estimate);
        expect(high).toBeGreaterThanOrEqual(estimate);
        expect(confidence).toBeLessThan(1);
        expect(hodgesLehmann(values.map((value) => value + 5)).estimate).toBeCloseTo(estimate + 5, 9);
      }),
    );
  });
});

describe('order statistics', () => {
  it('are those of the histogram: the value at rank ⌈q·n⌉', () => {
    const sorted = Float64Array.from({ length: 100 }, (_, index) => index + 1);
    expect([0, 0.5, 0.99, 0.999, 1].map((q) => quantileOf(sorted, q))).toEqual([1, 50, 99, 100, 100]);
    expect(median([3, 1, 2])).toBe(2);
    expect(median([4, 1, 2, 3])).toBe(2.5);
  });
});
