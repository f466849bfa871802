import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { cdf, failuresAllowed, lowerBound, pmf, samplesNeeded, upperBound } from './binomial.ts';

const TARGETS = [0.999, 0.9995, 0.9999, 0.99999];

describe('samplesNeeded', () => {
  it.each([
    [0.8, [1609, 3219, 16_094, 160_943]],
    [0.9, [2302, 4605, 23_025, 230_258]],
    [0.95, [2995, 5990, 29_956, 299_572]],
    [0.99, [4603, 9209, 46_050, 460_515]],
    [0.999, [6905, 13_813, 69_075, 690_773]],
  ])('without failures at confidence %d', (confidence, expected) => {
    expect(TARGETS.map((target) => samplesNeeded(target, 0, confidence))).toEqual(expected);
  });

  it.each([
    [1, [4742, 9486, 47_437, 474_385], 66_381],
    [2, [6294, 12_590, 62_956, 629_578], 84_057],
    [3, [7752, 15_505, 77_535, 775_364], 100_448],
    [5, [10_511, 21_024, 105_128, 1_051_301], 131_081],
    [10, [16_959, 33_921, 169_619, 1_696_219], 201_442],
  ])('with %d failures', (failures, at95, at99) => {
    expect(TARGETS.map((target) => samplesNeeded(target, failures, 0.95))).toEqual(at95);
    expect(samplesNeeded(0.9999, failures, 0.99)).toBe(at99);
  });

  it('is the smallest that does', () => {
    fc.assert(
      fc.property(fc.double({ min: 0.5, max: 0.9999, noNaN: true }), fc.integer({ min: 0, max: 20 }), (target, k) => {
        const n = samplesNeeded(target, k, 0.95);
        expect(cdf(k, n, 1 - target)).toBeLessThanOrEqual(0.05);
        expect(n === k || cdf(k, n - 1, 1 - target) > 0.05).toBe(true);
      }),
    );
  });
});

describe('failuresAllowed', () => {
  it('inverts samplesNeeded', () => {
    expect(failuresAllowed(29_955, 0.9999, 0.95)).toBeUndefined();
    expect(failuresAllowed(29_956, 0.9999, 0.95)).toBe(0);
    expect(failuresAllowed(77_535, 0.9999, 0.95)).toBe(3);
    expect(failuresAllowed(77_534, 0.9999, 0.95)).toBe(2);
    expect(failuresAllowed(0, 0.9, 0.95)).toBeUndefined();
  });
});

describe('bounds', () => {
  it('match figures computed elsewhere', () => {
    expect(lowerBound(99_995, 100_000, 0.95)).toBeCloseTo(0.999895, 6);
    expect(lowerBound(29_999, 30_000, 0.95)).toBeCloseTo(0.99984, 5);
    expect(lowerBound(999_920, 1_000_000, 0.95)).toBeCloseTo(0.999904, 6);
    expect(upperBound(1, 10, 0.95)).toBeCloseTo(0.394163, 6);
    expect(upperBound(0, 1000, 0.95)).toBeCloseTo(0.0029912, 7);
  });

  it('cover by exact sums: the tail at the bound is the risk', () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 300 }), fc.nat(300), fc.constantFrom(0.9, 0.95, 0.99), (n, raw, c) => {
        const k = raw % n;
        const bound = upperBound(k, n, c);
        let tail = 0;
        for (let i = 0; i <= k; i++) tail += pmf(i, n, bound);
        expect(tail).toBeCloseTo(1 - c, 11);
      }),
    );
  });

  it('are ordered, monotone and mirror each other', () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 5_000_000 }), fc.double({ min: 0, max: 1, noNaN: true }), (n, share) => {
        const k = Math.min(n - 1, Math.floor(share * n));
        const [low, high] = [lowerBound(k, n, 0.95), upperBound(k, n, 0.95)];
        expect(low).toBeLessThanOrEqual(k / n);
        expect(high).toBeGreaterThanOrEqual(k / n);
        expect(upperBound(k + 1, n, 0.95)).toBeGreaterThan(high);
        expect(upperBound(k, n, 0.99)).toBeGreaterThan(high);
        expect(lowerBound(n - k, n, 0.95)).toBeCloseTo(1 - high, 12);
      }),
    );
  });

  it('say nothing without samples and refuse what is no sample', () => {
    expect([lowerBound(0, 0, 0.95), upperBound(0, 0, 0.95)]).toEqual([0, 1]);
    expect([lowerBound(0, 5, 0.95), upperBound(5, 5, 0.95)]).toEqual([0, 1]);
    expect(() => lowerBound(6, 5, 0.95)).toThrow(RangeError);
    expect(() => upperBound(1.5, 5, 0.95)).toThrow(RangeError);
    expect(() => upperBound(1, 5, 1)).toThrow(RangeError);
    expect(() => samplesNeeded(1, 0, 0.95)).toThrow(RangeError);
  });
});
