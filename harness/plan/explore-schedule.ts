import { type Random, seeded } from '../core/random.ts';
import { withinLimits } from './explore-limits.ts';
import { SIZES } from './explore-sizes.ts';
import type { Schedule, ScheduledFault, Space } from './explore-space.ts';

/** In what time faults may be drawn. All in ms. */
export interface Bounds {
  /** The first may begin, and the last must be over, counted from t = 0. */
  firstMs: number;
  lastMs: number;
  /** How long each is held. */
  holdMinMs: number;
  holdMaxMs: number;
  /** So long a place is left alone between two faults, for the first to be proved to bite and to heal. */
  healMs: number;
  faultsMax: number;
}

/** Times are multiples of this: nobody reads the rest. */
const GRAIN_MS = 100;
const ATTEMPTS = 30;

/**
 * Draws a schedule: first which kinds of fault are on at all (each with even chance), then how many faults, and of each
 * its kind, target, size and time. Never more at one moment than the guard allows and the stack claims to survive. The
 * same seed, space and bounds give the same schedule; it may be empty where nothing can be drawn.
 */
export function drawSchedule(seed: number, space: Space, bounds: Bounds): Schedule {
  const random = seeded(seed).fork('explore');
  const kinds = [...space.targets.keys()];
  if (kinds.length === 0) return [];
  const enabled = kinds.filter(() => random.next() < 0.5);
  if (enabled.length === 0) enabled.push(pick(random, kinds));
  const wanted = random.integer(1, bounds.faultsMax);
  const drawn: ScheduledFault[] = [];
  for (let attempt = 0; attempt < ATTEMPTS && drawn.length < wanted; attempt++) {
    const next = drawFault(random, enabled, space, bounds);
    if (next !== undefined && scheduleFits([...drawn, next], space, bounds)) drawn.push(next);
  }
  return named(drawn);
}

/** Whether a schedule may be run: in its time, within every limit, each fault possible here. */
export function scheduleFits(
  schedule: Schedule,
  space: Space,
  { firstMs, lastMs, healMs, holdMinMs }: Bounds,
): boolean {
  const inTime = ({ atMs, forMs }: ScheduledFault): boolean =>
    atMs >= firstMs && forMs >= holdMinMs && atMs + forMs <= lastMs;
  if (!schedule.every(inTime)) return false;
  const held = schedule.flatMap((fault) => {
    const effects = space.effectsOf(fault);
    return effects === undefined ? [] : [{ effects, fromMs: fault.atMs, toMs: fault.atMs + fault.forMs + healMs }];
  });
  return held.length === schedule.length && withinLimits(held, space);
}

function drawFault(random: Random, kinds: readonly string[], space: Space, bounds: Bounds): ScheduledFault | undefined {
  const inject = pick(random, kinds);
  const target = pick(random, space.targets.get(inject)!);
  const params = SIZES[inject]!.draw(random);
  const { firstMs, lastMs, holdMinMs, holdMaxMs } = bounds;
  const longestMs = Math.min(holdMaxMs, lastMs - firstMs);
  if (longestMs < holdMinMs) return undefined;
  const forMs = drawTime(random, holdMinMs, longestMs);
  return { name: inject, inject, target, with: params, atMs: drawTime(random, firstMs, lastMs - forMs), forMs };
}

function drawTime(random: Random, fromMs: number, toMs: number): number {
  return (
    random.integer(Math.ceil(fromMs / GRAIN_MS), Math.max(fromMs, Math.floor(toMs / GRAIN_MS) * GRAIN_MS) / GRAIN_MS) *
    GRAIN_MS
  );
}

function pick<T>(random: Random, all: readonly T[]): T {
  return all[random.integer(0, all.length - 1)]!;
}

/** In the order of their turns, each with a name of its own that stays when others are dropped. */
function named(faults: readonly ScheduledFault[]): Schedule {
  return faults
    .toSorted((a, b) => a.atMs - b.atMs)
    .map((fault, index) => ({ ...fault, name: `${fault.inject.replaceAll('.', '-')}-${index + 1}` }));
}
