import { countStarts } from '../core/rate-curve.ts';
import type { Scenario } from '../spi/plan.ts';

/** Journey starts of a scenario from t = 0, by journey: whole numbers that add up, each within 1 of its share. */
export function startsByJourney({ segments, mix }: Scenario): Record<string, number> {
  const total = countStarts(segments);
  const parts = mix.map(({ journey, share }) => {
    const exact = total * share;
    const whole = Math.floor(exact + 1e-6);
    return { journey, whole, rest: exact - whole };
  });
  let left = total - parts.reduce((sum, { whole }) => sum + whole, 0);
  for (const part of parts.toSorted((a, b) => b.rest - a.rest)) {
    if (left <= 0) break;
    part.whole += 1;
    left -= 1;
  }
  return Object.fromEntries(parts.map(({ journey, whole }) => [journey, whole]));
}

/** How many samples a check of the scenario, or of one of its journeys, will see at most. */
export function expectedSample(scenario: Scenario, journey: string | undefined): number {
  return journey === undefined ? countStarts(scenario.segments) : (startsByJourney(scenario)[journey] ?? 0);
}

/** How much longer (ms, whole seconds) the scenario would have to go on at its last rate; undefined when at rate 0. */
export function moreTimeFor(scenario: Scenario, journey: string | undefined, needed: number): number | undefined {
  const share = journey === undefined ? 1 : (scenario.mix.find((part) => part.journey === journey)?.share ?? 0);
  const rate = (scenario.segments.at(-1)?.toRate ?? 0) * share;
  if (rate <= 0) return undefined;
  return Math.ceil((needed - expectedSample(scenario, journey)) / rate) * 1000;
}
