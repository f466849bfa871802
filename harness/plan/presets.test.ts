import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { areaUntil, curveDuration, type RateSegment } from '../core/rate-curve.ts';
import { busyHourRate, midnightSpike, scaledCurve, soak } from './presets.ts';

const rateAt = (segments: readonly RateSegment[], ms: number): number => {
  let from = 0;
  for (const { fromRate, toRate, durationMs } of segments) {
    if (ms <= from + durationMs) return fromRate + ((toRate - fromRate) * (ms - from)) / durationMs;
    from += durationMs;
  }
  return Number.NaN;
};

describe('midnight-spike', () => {
  const spike = midnightSpike({ base: 50, peak: 650, forMs: 100_000 });

  it('lasts as long as it is to, in one line without a gap', () => {
    expect(curveDuration(spike)).toBeCloseTo(100_000, 6);
    for (const [index, { fromRate }] of spike.slice(1).entries()) {
      expect(fromRate).toBeCloseTo(spike[index]!.toRate, 9);
    }
  });

  it('rises within a second, holds, and halves what is above the plateau every half-life', () => {
    expect(rateAt(spike, 20_000)).toBe(50);
    expect(rateAt(spike, 21_000)).toBeCloseTo(650, 6);
    expect(rateAt(spike, 31_000)).toBeCloseTo(650, 6);
    // Half-lives do not end at a chord's end: up to 0.4 % of what decays lies above the curve.
    expect(Math.abs(rateAt(spike, 41_000) - (100 + 550 / 2))).toBeLessThan((550 / 2) * 0.004);
    expect(Math.abs(rateAt(spike, 61_000) - (100 + 550 / 8))).toBeLessThan((550 / 8) * 0.004);
  });

  it('has nearly the area of the curve that it draws', () => {
    const decay = (550 * 10) / Math.LN2;
    const exact = 20 * 50 + 350 + 10 * 650 + 69 * 100 + decay * (1 - 2 ** -6.9);
    expect(Math.abs(areaUntil(spike, 100_000) / exact - 1)).toBeLessThan(0.004);
  });
});

describe('soak', () => {
  it('rises, then stays', () => {
    const segments = soak({ rate: 40, forMs: 3_600_000 });
    expect(segments).toEqual([
      { fromRate: 0, toRate: 40, durationMs: 180_000 },
      { fromRate: 40, toRate: 40, durationMs: 3_420_000 },
    ]);
    expect(soak({ rate: 40, forMs: 36_000_000 })[0]!.durationMs).toBe(300_000);
  });
});

describe('a scaled curve', () => {
  it('keeps its shape, multiplies rates and presses time', () => {
    const gaps = fc.array(fc.record({ gap: fc.integer({ min: 1, max: 900 }), rate: fc.nat(500) }), {
      minLength: 2,
      maxLength: 50,
    });
    fc.assert(
      fc.property(gaps, fc.integer({ min: 1000, max: 600_000 }), (drawn, forMs) => {
        let atS = 86_000;
        const points = drawn.map(({ gap, rate }) => {
          atS += gap;
          return { atS, rate };
        });
        const segments = scaledCurve(points, 6.5, forMs);
        expect(curveDuration(segments)).toBeCloseTo(forMs, 4);
        segments.forEach(({ fromRate, toRate }, index) => {
          expect(fromRate).toBe(points[index]!.rate * 6.5);
          expect(toRate).toBe(points[index + 1]!.rate * 6.5);
        });
      }),
      { numRuns: 100, seed: 8 },
    );
  });
});

describe('daily users', () => {
  it('give the rate of their busiest hour', () => {
    expect(busyHourRate({ daily: 1_000_000, sessionsPerDay: 3, peakShare: 0.12 })).toBe(100);
    expect(busyHourRate({ daily: 86_400, sessionsPerDay: 1, peakShare: 1 / 24 })).toBeCloseTo(1, 9);
  });
});
