import { curveDuration, type RateSegment } from '../core/rate-curve.ts';

/** Pieces that a decay is drawn with: chords of a quarter half-life are within 0.4 % of the curve. */
const PIECES_PER_HALF_LIFE = 4;
const DECAY_PIECES_MAX = 200;

export interface MidnightSpike {
  base: number;
  peak: number;
  forMs: number;
  /** At the base rate, before midnight; default 20 % of the whole. */
  beforeMs?: number | undefined;
  /** From base to peak; default 1 s. */
  riseMs?: number | undefined;
  /** At the peak; default 10 % of the whole. */
  holdMs?: number | undefined;
  /** In which what is above the rate settled to halves; default 10 % of the whole. */
  halfLifeMs?: number | undefined;
  /** What the rate falls towards; default twice the base, at most the peak. */
  settle?: number | undefined;
}

/**
 * A sale that opens on the stroke of midnight: base, a rise within a second, a peak held, then an exponential decay
 * towards a raised plateau: rate(t) = settle + (peak − settle) · 2^(−t / halfLife). A model of the shape that sales with
 * a fixed opening have, with every number a parameter; a recorded day is better evidence (`sale-6.5x`).
 */
export function midnightSpike(spike: MidnightSpike): RateSegment[] {
  const { base, peak, forMs, beforeMs, riseMs, holdMs, halfLifeMs, settle } = spikeInFull(spike);
  const rising = [
    { fromRate: base, toRate: base, durationMs: beforeMs },
    { fromRate: base, toRate: peak, durationMs: riseMs },
    { fromRate: peak, toRate: peak, durationMs: holdMs },
  ];
  const decayMs = forMs - curveDuration(rising);
  const count = Math.min(DECAY_PIECES_MAX, Math.ceil((decayMs / halfLifeMs) * PIECES_PER_HALF_LIFE));
  const rateAt = (ms: number): number => settle + (peak - settle) * 2 ** (-ms / halfLifeMs);
  const falling = Array.from({ length: count }, (_, index): RateSegment => {
    const [fromMs, toMs] = [(index * decayMs) / count, ((index + 1) * decayMs) / count];
    return { fromRate: rateAt(fromMs), toRate: rateAt(toMs), durationMs: toMs - fromMs };
  });
  return [...rising, ...falling].filter(({ durationMs }) => durationMs > 0);
}

/** The spike with its defaults filled in; rise and hold together may not pass its end. */
export function spikeInFull(spike: MidnightSpike): Required<{ [K in keyof MidnightSpike]: number }> {
  const { base, peak, forMs } = spike;
  return {
    base,
    peak,
    forMs,
    beforeMs: spike.beforeMs ?? forMs * 0.2,
    riseMs: spike.riseMs ?? Math.min(1000, forMs * 0.1),
    holdMs: spike.holdMs ?? forMs * 0.1,
    halfLifeMs: spike.halfLifeMs ?? forMs * 0.1,
    settle: spike.settle ?? Math.min(peak, base * 2),
  };
}

/** A long even load: a rise (default 5 % of the whole, at most 5 min), then the rate to the end. */
export function soak(given: { rate: number; forMs: number; riseMs?: number | undefined }): RateSegment[] {
  const riseMs = given.riseMs ?? Math.min(300_000, given.forMs * 0.05);
  return [
    { fromRate: 0, toRate: given.rate, durationMs: riseMs },
    { fromRate: given.rate, toRate: given.rate, durationMs: given.forMs - riseMs },
  ].filter(({ durationMs }) => durationMs > 0);
}

/** One point of a recorded curve: seconds from any origin, starts per second. */
export interface CurvePoint {
  atS: number;
  rate: number;
}

/**
 * A recorded day's curve at `factor` times its rates, its time pressed into `forMs`: rates are multiplied and never
 * pressed, so that what the system must bear at each moment is `factor` times what it bore, only for a shorter while.
 * Points rise in time and are at least two; between them the curve is straight.
 */
export function scaledCurve(points: readonly CurvePoint[], factor: number, forMs: number): RateSegment[] {
  const [first, last] = [points[0]!.atS, points.at(-1)!.atS];
  const scale = forMs / (last - first);
  return points.slice(1).map((point, index) => {
    const before = points[index]!;
    return {
      fromRate: before.rate * factor,
      toRate: point.rate * factor,
      durationMs: (point.atS - before.atS) * scale,
    };
  });
}

/**
 * Sessions started per second in the busiest hour: daily users × sessions each × the share of a day's sessions that
 * falls into that hour, over 3,600 s. It is the busy-hour measure of telephone traffic engineering (busy hour call
 * attempts); a share of 1/24 would be a day without a peak.
 */
export function busyHourRate(given: { daily: number; sessionsPerDay: number; peakShare: number }): number {
  return (given.daily * given.sessionsPerDay * given.peakShare) / 3600;
}
