import { upperBound } from '../core/binomial.ts';
import { formatDuration } from '../core/units.ts';
import { type Bounds, drawSchedule, scheduleFits } from './explore-schedule.ts';
import { type Shrunk, shrink, simplerThan } from './explore-shrink.ts';
import type { Schedule, Space } from './explore-space.ts';

/** What came of one trial of a schedule. */
export interface Trial {
  verdict: 'pass' | 'fail' | 'unknown';
  /** What failed, in names that do not depend on the schedule: `integrity money-conserved`. */
  failures: readonly string[];
  /** One sentence. */
  because: string;
  folder: string;
}

export interface ExploreOptions {
  /** Of the first schedule; the next has the next. */
  seed: number;
  space: Space;
  bounds: Bounds;
  /** A schedule fails when it does so in `fails` of `repeats` trials. */
  fails: number;
  repeats: number;
  /** Most schedules that are drawn; undefined: as many as the time allows. */
  schedulesMax?: number;
  /** False: the time is over, or somebody wants an end. */
  goOn: () => boolean;
  /** Runs one trial. */
  trial(schedule: Schedule, what: string): Promise<Trial>;
  /** One line for the user. */
  tell: (line: string) => void;
}

export interface Found {
  seed: number;
  schedule: Schedule;
  failures: readonly string[];
  because: string;
  /** Trials of the schedule as it was drawn, and how many of them failed in the same way. */
  repeats: number;
  failed: number;
  /** Undefined when the failure did not come again often enough. */
  shrunk: Shrunk | undefined;
}

export interface Exploration {
  /** Trials of drawn schedules, by verdict; those of repeats and of shrinking apart. */
  trials: { pass: number; fail: number; unknown: number };
  more: number;
  /** Kind of fault → how many of the drawn schedules that were tried had it. */
  kinds: Record<string, number>;
  seeds: { from: number; to: number } | undefined;
  /** The failure that was repeated and shrunk: it ends the exploration. */
  found: Found | undefined;
  /** Failures that did not come again often enough. */
  fleeting: Found[];
}

/** Tries drawn schedules until one fails again and again, and shrinks that; or until there is no time. */
export async function explore(options: ExploreOptions): Promise<Exploration> {
  const { space, bounds, goOn, tell } = options;
  const done: Exploration = {
    ...{ trials: { pass: 0, fail: 0, unknown: 0 }, more: 0, kinds: {} },
    ...{ seeds: undefined, found: undefined, fleeting: [] },
  };
  const schedulesMax = options.schedulesMax ?? Number.POSITIVE_INFINITY;
  for (let number = 0; number < schedulesMax && goOn() && done.found === undefined; number++) {
    const seed = options.seed + number;
    const schedule = drawSchedule(seed, space, bounds);
    if (schedule.length === 0) break;
    tell(`schedule ${number + 1}, seed ${seed}:\n${describeSchedule(schedule)}`);
    const trial = await options.trial(schedule, `seed-${seed}`);
    done.trials[trial.verdict] += 1;
    done.seeds = { from: options.seed, to: seed };
    for (const kind of new Set(schedule.map(({ inject }) => inject))) done.kinds[kind] = (done.kinds[kind] ?? 0) + 1;
    tell(`schedule ${number + 1}: ${trial.verdict}${trial.verdict === 'pass' ? '' : `: ${trial.because}`}`);
    if (trial.verdict !== 'fail') continue;
    const found = await pursue({ seed, schedule, trial }, options, done);
    if (found.shrunk === undefined) done.fleeting.push(found);
    else done.found = found;
  }
  return done;
}

/** Repeats a failure, and shrinks what comes again. */
async function pursue(
  { seed, schedule, trial }: { seed: number; schedule: Schedule; trial: Trial },
  options: ExploreOptions,
  done: Exploration,
): Promise<Found> {
  const { space, bounds, goOn, tell } = options;
  let number = 0;
  // Some candidate could not be judged: what is left may not be the smallest.
  let unsure = false;
  const repeated = async (candidate: Schedule, before: { trials: number; failed: number }) => {
    let { trials, failed } = before;
    let unknown = 0;
    // No longer than it takes to decide.
    while (failed < options.fails && trials - failed <= options.repeats - options.fails && goOn()) {
      number += 1;
      const next = await options.trial(candidate, `seed-${seed}-${number}`);
      done.more += 1;
      if (next.verdict === 'unknown') {
        unknown += 1;
        if (unknown <= options.repeats) continue;
        unsure = true;
        break;
      }
      trials += 1;
      if (next.failures.some((what) => trial.failures.includes(what))) failed += 1;
    }
    return { trials, failed };
  };
  const { trials, failed } = await repeated(schedule, { trials: 1, failed: 1 });
  const found = { seed, schedule, failures: trial.failures, because: trial.because, repeats: trials, failed };
  tell(`seed ${seed} failed in ${failed} of ${trials} trials (asked: ${options.fails} of ${options.repeats})`);
  if (failed < options.fails) return { ...found, shrunk: undefined };
  const shrunk = await shrink(schedule, {
    fails: async (candidate) => {
      tell(`smaller?\n${describeSchedule(candidate)}`);
      const again = await repeated(candidate, { trials: 0, failed: 0 });
      const same = again.failed >= options.fails;
      tell(same ? 'smaller: it still fails' : 'no: it does not fail often enough');
      return same;
    },
    fits: (candidate) => scheduleFits(candidate, space, bounds),
    simpler: (fault) => simplerThan(fault, space),
    holdMinMs: bounds.holdMinMs,
    goOn,
  });
  return { ...found, shrunk: { ...shrunk, minimal: shrunk.minimal && !unsure } };
}

/** A line a fault. */
export function describeSchedule(schedule: Schedule): string {
  return schedule
    .map(({ inject, target, with: params, atMs, forMs }) => {
      const more = Object.keys(params).length === 0 ? '' : ` ${inline(params)}`;
      return `  ${formatDuration(atMs).padStart(6)} for ${formatDuration(forMs)}: ${inject} on ${inline(target)}${more}`;
    })
    .join('\n');
}

const inline = (value: object): string =>
  JSON.stringify(value)
    .replaceAll(/["{}[\]]/g, '')
    .replaceAll(',', ', ');

/** What an exploration proves, and what it does not. */
export function whatItProves({ trials, found, fleeting }: Exploration): string {
  const { pass, fail, unknown } = trials;
  const asides = unknown === 0 ? '' : ` ${unknown} more could not be judged and count for nothing.`;
  if (found?.shrunk !== undefined) {
    const { schedule, minimal } = found.shrunk;
    const how = minimal
      ? 'none of its faults can be left out'
      : 'it is not known to be the smallest, for want of time or of trials that could be judged';
    return `A schedule of ${schedule.length === 1 ? 'one fault' : `${schedule.length} faults`} breaks what the plan asks, in ${found.failed} of ${found.repeats} trials as drawn: ${how}. One failure is proof; that others exist, or do not, is not said.${asides}`;
  }
  if (fleeting.length > 0) {
    return `${fail} of ${pass + fail} judged schedules failed, but not again often enough to be shrunk: nothing is settled.${asides}`;
  }
  if (pass === 0) return `No schedule could be judged, so nothing is proved.${asides}`;
  const share = upperBound(0, pass, 0.95) * 100;
  return `None of ${pass} judged schedules failed: at 95 % fewer than ${Math.ceil(share * 10) / 10} % of schedules drawn like these, on this stack, load and machine, do. It says nothing about faults that were not drawn, nor about longer ones.${asides}`;
}
