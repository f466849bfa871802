import { arrivalRandom, countPoisson } from '../core/arrivals.ts';
import { areaUntil, countStarts, curveDuration, type RateSegment } from '../core/rate-curve.ts';
import type { Scenario } from '../spi/plan.ts';

/**
 * Journey starts of a scenario from t = 0: exact for a schedule; for Poisson arrivals exact with the seed, else what is
 * to be expected; undefined where the answers decide, or a recording does.
 */
export function startsOf(scenario: Scenario, seed?: number): number | undefined {
  const { executor, segments } = scenario;
  switch (executor) {
    case 'constant-arrival-rate':
    case 'ramping-arrival-rate':
      return countStarts(segments);
    case 'poisson':
      return seed === undefined
        ? Math.round(areaUntil(segments, curveDuration(segments)))
        : countPoisson(segments, arrivalRandom(seed, scenario.name));
    case 'constant-vus':
    case 'ramping-vus':
    case 'replay':
      return undefined;
  }
}

/** The starts by journey: whole numbers that add up, each within 1 of its share. */
export function startsByJourney(scenario: Scenario, seed?: number): Record<string, number> | undefined {
  const total = startsOf(scenario, seed);
  if (total === undefined) return undefined;
  const parts = scenario.mix.map(({ journey, share }) => {
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

/** Which of a scenario's journeys a check looks at; all without. */
export interface Part {
  journey?: string;
  region?: string;
}

/** How many samples a check of a part of the scenario will see at most; undefined: not known before. */
export function expectedSample(scenario: Scenario, { journey, region }: Part, seed?: number): number | undefined {
  const byJourney = startsByJourney(scenario, seed);
  const starts = journey === undefined ? startsOf(scenario, seed) : byJourney && (byJourney[journey] ?? 0);
  // Dealt to within one a journey.
  return starts === undefined ? undefined : Math.floor(starts * shareOf(scenario, region) + 1e-6);
}

const shareOf = ({ regions = [] }: Scenario, region: string | undefined): number =>
  region === undefined ? 1 : (regions.find(({ name }) => name === region)?.share ?? 0);

/**
 * How much longer (ms, whole seconds) the scenario would have to go on at its last rate; undefined when at rate 0 or
 * when its starts are not known before.
 */
export function moreTimeFor(scenario: Scenario, part: Part, needed: number): number | undefined {
  const { journey } = part;
  const share = journey === undefined ? 1 : (scenario.mix.find((one) => one.journey === journey)?.share ?? 0);
  const rate = (scenario.segments.at(-1)?.toRate ?? 0) * share * shareOf(scenario, part.region);
  const expected = expectedSample(scenario, part);
  if (rate <= 0 || expected === undefined) return undefined;
  return Math.ceil((needed - expected) / rate) * 1000;
}

/** Every start of a run that has a number of its own, and with it a row of a `unique` feed. */
export interface NumberedStarts {
  /** One of each journey, before the load. */
  canary: number;
  /** Of warm-up and steady state together. */
  warmUp: number;
  load: number;
}

/** How many rows a `unique` feed must have; undefined where that is not known before the run. */
export function numberedStarts(scenario: Scenario, steadyMs: number): NumberedStarts | undefined {
  const { warmUpMs, warmUpRate, mix, executor } = scenario;
  const warming: RateSegment[] = [
    { fromRate: 0, toRate: warmUpRate, durationMs: warmUpMs },
    { fromRate: warmUpRate, toRate: warmUpRate, durationMs: steadyMs },
  ];
  const load = startsOf(scenario);
  if (load === undefined) return undefined;
  // Where chance decides: four standard deviations more than the mean come about once in 30,000 runs.
  const most = executor === 'poisson' ? Math.ceil(load + 4 * Math.sqrt(load)) : load;
  return { canary: mix.length, warmUp: countStarts(warming), load: most };
}
