import { type Random, seeded } from './random.ts';
import { type RateSegment, withinSegment } from './rate-curve.ts';

/**
 * Due times (ms from the curve's beginning, rising) of a Poisson process whose rate follows the curve; how many there
 * are is chance too, decided by the stream alone. Unit-rate arrivals, whose gaps are exponential, −ln(1 − u), are put
 * through the inverse of the rate's integral (the time-rescaling theorem for Poisson processes whose rate varies; on
 * straight segments the inverse is closed form, that of `rate-curve`). Streamed: constant memory for any length.
 */
export function* poissonDueTimes(segments: readonly RateSegment[], random: Random): Generator<number, void> {
  let wanted = gap(random);
  let done = 0;
  let startMs = 0;
  for (const segment of segments) {
    const area = ((segment.fromRate + segment.toRate) / 2) * (segment.durationMs / 1000);
    while (wanted < done + area) {
      yield startMs + withinSegment(segment, wanted - done);
      wanted += gap(random);
    }
    done += area;
    startMs += segment.durationMs;
  }
}

/** How many starts `poissonDueTimes` gives for the same stream. */
export function countPoisson(segments: readonly RateSegment[], random: Random): number {
  const area = segments.reduce((sum, { fromRate, toRate, durationMs }) => {
    return sum + ((fromRate + toRate) / 2) * (durationMs / 1000);
  }, 0);
  let count = 0;
  for (let at = gap(random); at < area; at += gap(random)) count++;
  return count;
}

/** The stream that the arrivals of a scenario come from; pacing and counting must use this same one. */
export function arrivalRandom(seed: number, scenario: string): Random {
  return seeded(`${seed}/arrivals/${scenario}`);
}

const gap = (random: Random): number => -Math.log1p(-random.next());
