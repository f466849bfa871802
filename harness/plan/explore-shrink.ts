import { SIZES } from './explore-sizes.ts';
import type { Schedule, ScheduledFault, Space } from './explore-space.ts';

export interface ShrinkOptions {
  /** Whether the candidate fails as the first one did; costs trials. */
  fails(candidate: Schedule): Promise<boolean>;
  /** Whether it may be run at all; costs nothing. */
  fits(candidate: Schedule): boolean;
  /** Ways to say one fault more simply, the simplest first. */
  simpler(fault: ScheduledFault): readonly ScheduledFault[];
  holdMinMs: number;
  /** False: there is no time left, and what is smallest by now is the answer. */
  goOn: () => boolean;
}

export interface Shrunk {
  schedule: Schedule;
  /** Candidates that were asked about. */
  asked: number;
  /** No single step makes it smaller. Otherwise time ran out. */
  minimal: boolean;
}

const GRAIN_MS = 100;

/**
 * The smallest schedule that still fails, by delta debugging (Zeller and Hildebrandt's ddmin on the faults): drop what
 * can be dropped, then hold the rest shorter, then say it more simply, until no such step is left.
 */
export async function shrink(first: Schedule, options: ShrinkOptions): Promise<Shrunk> {
  const known = new Map<string, boolean>([[JSON.stringify(first), true]]);
  let asked = 0;
  const fails = async (candidate: Schedule): Promise<boolean> => {
    const key = JSON.stringify(candidate);
    const before = known.get(key);
    if (before !== undefined) return before;
    if (candidate.length === 0 || !options.fits(candidate) || !options.goOn()) return false;
    asked += 1;
    const answer = await options.fails(candidate);
    known.set(key, answer);
    return answer;
  };
  let smallest = await dropped(first, fails);
  for (let before: Schedule | undefined; before !== smallest && options.goOn(); ) {
    before = smallest;
    smallest = await shortened(smallest, fails, options.holdMinMs);
    smallest = await simplified(smallest, fails, options.simpler);
    smallest = await dropped(smallest, fails);
  }
  return { schedule: smallest, asked, minimal: options.goOn() };
}

type Fails = (candidate: Schedule) => Promise<boolean>;

/** ddmin's way down: what is left without ever smaller parts. No fault of the result can be dropped. */
async function dropped(first: Schedule, fails: Fails): Promise<Schedule> {
  let current = first;
  for (let parts = 2; current.length > 1; ) {
    const size = Math.ceil(current.length / parts);
    const starts = Array.from({ length: Math.ceil(current.length / size) }, (_unused, index) => index * size);
    const rests = starts.map((from) => current.toSpliced(from, size));
    const found = await firstThat(rests, fails);
    if (found !== undefined) {
      current = found;
      parts = Math.max(2, parts - 1);
    } else if (size === 1) break;
    else parts = Math.min(current.length, parts * 2);
  }
  return current;
}

async function shortened(first: Schedule, fails: Fails, holdMinMs: number): Promise<Schedule> {
  let current = first;
  for (let index = 0; index < current.length; index++) {
    for (;;) {
      const { forMs } = current[index]!;
      const nextMs = Math.max(holdMinMs, Math.floor(forMs / 2 / GRAIN_MS) * GRAIN_MS);
      const next = current.with(index, { ...current[index]!, forMs: nextMs });
      if (nextMs >= forMs || !(await fails(next))) break;
      current = next;
    }
  }
  return current;
}

async function simplified(first: Schedule, fails: Fails, simpler: ShrinkOptions['simpler']): Promise<Schedule> {
  let current = first;
  for (let index = 0; index < current.length; index++) {
    const ways = simpler(current[index]!).map((fault) => current.with(index, fault));
    current = (await firstThat(ways, fails)) ?? current;
  }
  return current;
}

async function firstThat<T>(all: readonly T[], holds: (one: T) => Promise<boolean>): Promise<T | undefined> {
  for (const one of all) if (await holds(one)) return one;
  return undefined;
}

/**
 * Simpler ways to say one fault: with the plainest size, else without what may be left out, at a whole second, for whole
 * seconds. Each differs from the fault itself, and simplifying comes to an end.
 */
export function simplerThan(fault: ScheduledFault, space: Space): readonly ScheduledFault[] {
  const { plain } = SIZES[fault.inject] ?? { plain: fault.with };
  const isPlain = JSON.stringify(plain) === JSON.stringify(fault.with);
  const without = isPlain
    ? []
    : Object.keys(fault.with).map((key) =>
        Object.fromEntries(Object.entries(fault.with).filter(([one]) => one !== key)),
      );
  const sizes = isPlain ? [] : [plain, ...without];
  const wholeAt = Math.floor(fault.atMs / 1000) * 1000;
  const wholeFor = Math.ceil(fault.forMs / 1000) * 1000;
  const times = [
    { atMs: wholeAt, forMs: wholeFor },
    { atMs: wholeAt, forMs: fault.forMs },
  ].filter(({ atMs }) => atMs !== fault.atMs);
  return [
    ...sizes.map((params) => ({ ...fault, with: params })),
    ...times.map((time) => ({ ...fault, ...time })),
  ].filter((one) => space.effectsOf(one) !== undefined);
}
