import type { Effect, EffectTarget, Expectation } from '../../harness/spi/fault.ts';
import type { JsonObject } from '../../harness/spi/json.ts';
import type { Target } from '../../harness/spi/plan.ts';
import type { NodeSpec, Topology } from '../../harness/spi/topology.ts';
import { redundant } from '../effects.ts';
import { nodesOf, notTaken } from '../targets.ts';

/** A member of a store, by the role that it has when the fault fires, and all that could be it. */
export interface OnStore {
  on: EffectTarget & { store: string };
  members: NodeSpec[];
}

/** Throws FAULT_TARGET_EMPTY for any other target, and for a role that this fault does not take. */
export function onStore(
  kind: string,
  target: Target,
  topology: Topology,
  roles: readonly ('primary' | 'standby')[],
): OnStore {
  if (!('store' in target) || !roles.includes(target.role)) throw notTaken(kind, target);
  return { on: { store: target.store, role: target.role }, members: nodesOf(target, topology) };
}

/** A state of that member which lasts, kept up by a driver or by a helper. */
export function heldOn(
  { on, members }: OnStore,
  kind: string,
  args: JsonObject,
  mode: 'held' | 'acting',
  proof: { bite: Omit<Expectation, 'on'>; heal: Omit<Expectation, 'on'> },
): Effect {
  return {
    kind,
    on,
    args,
    mode,
    undo: 'revert',
    touches: { nodes: members.map(({ id }) => id) },
    bite: { ...proof.bite, on },
    heal: { ...proof.heal, on },
  };
}

const WHOLE_WITHIN_MS = 40_000;

/** Whole again: of several members one is primary and another its synchronous standby; a single one takes sessions. */
export function whole({ on, members }: OnStore, what: EffectTarget = on): Expectation {
  if (members.length > 1) return redundant(on.store);
  return { kind: 'store.connects', on: what, args: { accepted: true, withinMs: WHOLE_WITHIN_MS } };
}
