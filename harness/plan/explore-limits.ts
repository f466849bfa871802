import type { Effect } from '../spi/fault.ts';
import type { GuardSpec } from '../spi/plan.ts';
import type { Topology } from '../spi/topology.ts';
import { worstCase } from './blast.ts';
import { takenBy } from './budget.ts';

/** A fault in its time; `toMs` is when it is surely over. */
export interface Held {
  effects: readonly Effect[];
  fromMs: number;
  toMs: number;
}

export interface LimitSurroundings {
  topology: Topology;
  entry: string;
  guard: GuardSpec;
}

/** Whether at every moment the faults stay within the guard and what the stack claims to survive, no two on one place. */
export function withinLimits(all: readonly Held[], around: LimitSurroundings): boolean {
  // What is held together is largest where something begins.
  return all.every(({ fromMs }) => {
    const now = all.filter((one) => one.fromMs <= fromMs && fromMs < one.toMs);
    return withinClaims(now, around) && apart(now);
  });
}

/**
 * Of faults that are held together: not more than `blastRadius`, and of nothing more than its layout can lose. What has
 * one member can lose none, so it is left alone, unless the plan says `faultBudget: none`.
 */
export function withinClaims(now: readonly Held[], { topology, entry, guard }: LimitSurroundings): boolean {
  const effects = now.flatMap((one) => one.effects);
  const blast = worstCase(effects, topology);
  const { blastRadius } = guard;
  const allowed = (['idcs', 'nodes', 'services'] as const).every(
    (what) => blast[what] <= (blastRadius?.[what] ?? Number.POSITIVE_INFINITY),
  );
  if (!allowed || guard.faultBudget === 'none') return allowed;
  return takenBy(effects, entry, topology).every(({ claim, taken }) => taken <= claim.survives);
}

function apart(now: readonly Held[]): boolean {
  const places = now.flatMap(({ effects }) => [...new Set(effects.flatMap(placesOf))]);
  return new Set(places).size === places.length;
}

/** Where an effect acts; a role may be any member's by then. */
function placesOf({ on, touches }: Effect): string[] {
  if ('link' in on) return [on.link];
  return 'node' in on ? [on.node] : touches.nodes;
}
