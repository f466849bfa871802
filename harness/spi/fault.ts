import type { Json, JsonObject, Schema } from './json.ts';
import type { Target } from './plan.ts';
import type { Capabilities, Environment, Support } from './runtime.ts';
import type { Topology } from './topology.ts';

/** What a plan asks for. Pure: from parameters and a target to the effects that must become true. */
export interface Fault<P = JsonObject> {
  kind: string;
  /** One sentence for the catalogue. */
  summary: string;
  params: Schema<P>;
  /** Which shapes of target it takes. */
  targets: ('idc' | 'service' | 'node' | 'store' | 'link')[];
  /** In the order they are applied; reverted in reverse. Throws HarnessError when the target matches nothing. */
  effects(params: P, target: Target, topology: Topology): Effect[];
}

/** Where an effect acts. A store's role stays symbolic until the fault fires. */
export type EffectTarget = { link: string } | { node: string } | { store: string; role: 'primary' | 'standby' };

/** What must become true, and how its bite and its heal are measured. */
export interface Effect {
  kind: string;
  on: EffectTarget;
  args: JsonObject;
  mode: 'once' | 'held' | 'acting';
  undo: 'revert' | 'restart' | 'none';
  /** Worst case: every node that may be touched. */
  touches: { nodes: string[] };
  bite: Expectation;
  heal: Expectation;
}

/** Something a probe can measure: `kind` names the probe. */
export interface Expectation {
  kind: string;
  on: EffectTarget;
  args: JsonObject;
}

/** What a driver needs to take an effect back, from any process, with the tool dead. Plain JSON, prior state included. */
export interface Undo {
  driver: string;
  /** Whose the target is, as `Environment.owner` says: a run's own stack is reaped whole, the other must be undone. */
  owner: 'run' | 'foreign';
  /** Concrete node or link the effect was resolved to, for the journal. */
  on: { link: string } | { node: string };
  state: JsonObject;
}

export interface FaultContext {
  runId: string;
  signal: AbortSignal;
  /** For drivers that start something (a restarted node): written before it is started. */
  record(resource: JsonObject): Promise<void>;
}

/** What `prepare` is told besides: for drivers that start a helper, which must end by itself. */
export interface PrepareContext extends FaultContext {
  /** Epoch ms at which the effect's lease ends: a helper that keeps an effect up must be gone by then, tool or no tool. */
  expiresAtMs: number;
  /** Absolute folder that a helper's output goes to. */
  logs: string;
}

/** Makes effects true and untrue. `apply` runs only after the runner has fsynced the undo. */
export interface FaultDriver {
  name: string;
  /** Pure, so that compile can ask. Undefined: effects of this kind are another driver's. */
  accepts(effect: Effect, capabilities: Capabilities): Support | undefined;
  /** Looks up roles and prior state; changes nothing. */
  prepare(effect: Effect, env: Environment, ctx: PrepareContext): Promise<Undo>;
  apply(undo: Undo, ctx: FaultContext): Promise<void>;
  /** Idempotent, from any process; a target that is gone is fine. */
  revert(undo: Undo, ctx: FaultContext): Promise<void>;
}

/**
 * Measures an effect from outside. `resolve` runs in the tool and turns an expectation into plain addresses;
 * `measure` runs in the probe process, over sockets of its own, and knows nothing of the driver that acted.
 *
 * Order: a bite's `resolve` is called after `prepare` and BEFORE `apply`, so that it may take a baseline of the still
 * healthy target and put it into the request; its `measure` comes after `apply`. A heal's `resolve` and `measure` both
 * come after `revert`: what it needs from before lies in `undo`.
 */
export interface Probe {
  kind: string;
  resolve(expectation: Expectation, env: Environment, undo: Undo | undefined): Promise<Json>;
  measure(request: Json, signal: AbortSignal): Promise<Measurement>;
}

export interface Measurement {
  /** Whether the expectation holds. */
  holds: boolean;
  value: number | string;
  unit: string;
  /** What was measured, against what was asked, in one sentence. */
  because: string;
}
