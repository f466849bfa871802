import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { arrivalRandom, countPoisson, poissonDueTimes } from './arrivals.ts';
import { areaUntil, curveDuration } from './rate-curve.ts';

const flat = (rate: number, durationMs: number) => ({ fromRate: rate, toRate: rate, durationMs });

const segments = fc.array(
  fc.record({
    fromRate: fc.integer({ min: 0, max: 300 }),
    toRate: fc.integer({ min: 0, max: 300 }),
    durationMs: fc.integer({ min: 1, max: 8000 }),
  }),
  { minLength: 1, maxLength: 5 },
);

describe('Poisson arrivals', () => {
  it('rise, stay within the curve, are as many as counted, and are the seed’s', () => {
    fc.assert(
      fc.property(segments, fc.nat(), (curve, seed) => {
        const times = [...poissonDueTimes(curve, arrivalRandom(seed, 'sale'))];
        expect(times).toEqual([...poissonDueTimes(curve, arrivalRandom(seed, 'sale'))]);
        expect(countPoisson(curve, arrivalRandom(seed, 'sale'))).toBe(times.length);
        const endMs = curveDuration(curve);
        const outside = times.filter((time, index) => time < (times[index - 1] ?? 0) || time > endMs);
        expect(outside).toEqual([]);
      }),
      { numRuns: 200, seed: 3 },
    );
  });

  it('have exponential gaps in the curve’s own time: mean and variance 1', () => {
    const curve = [
      { fromRate: 0, toRate: 2000, durationMs: 10_000 },
      flat(2000, 10_000),
      flat(0, 5000),
      flat(50, 60_000),
    ];
    const areas = [...poissonDueTimes(curve, arrivalRandom(1, 'sale'))].map((ms) => areaUntil(curve, ms));
    const gaps = areas.map((area, index) => area - (areas[index - 1] ?? 0));
    const mean = gaps.reduce((sum, gap) => sum + gap, 0) / gaps.length;
    const variance = gaps.reduce((sum, gap) => sum + (gap - mean) ** 2, 0) / gaps.length;
    // 33,000 gaps: a standard error of 0.0055 for the mean, of 0.016 for the variance.
    expect(gaps.length).toBeGreaterThan(32_000);
    expect(Math.abs(mean - 1)).toBeLessThan(0.02);
    expect(Math.abs(variance - 1)).toBeLessThan(0.06);
    const beyondOne = gaps.filter((gap) => gap > 1).length / gaps.length;
    expect(Math.abs(beyondOne - Math.exp(-1))).toBeLessThan(0.01);
  });

  it('are none where the rate is 0', () => {
    const times = [...poissonDueTimes([flat(0, 1000), flat(100, 1000), flat(0, 1000)], arrivalRandom(2, 'x'))];
    expect(times.length).toBeGreaterThan(50);
    expect(times.every((ms) => ms >= 1000 && ms <= 2000)).toBe(true);
  });

  it('differ from seed to seed and scenario to scenario, in number too', () => {
    const counts = Array.from({ length: 200 }, (_, seed) => countPoisson([flat(100, 1000)], arrivalRandom(seed, 'a')));
    const mean = counts.reduce((sum, count) => sum + count, 0) / counts.length;
    const variance = counts.reduce((sum, count) => sum + (count - mean) ** 2, 0) / counts.length;
    expect(Math.abs(mean - 100)).toBeLessThan(3);
    expect(variance).toBeGreaterThan(60);
    expect(variance).toBeLessThan(150);
    const [a, b] = ['a', 'b'].map((name) => [...poissonDueTimes([flat(100, 1000)], arrivalRandom(1, name))]);
    expect(a).not.toEqual(b);
  });
});
