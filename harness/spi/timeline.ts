import type { Effect } from './fault.ts';
import type { JsonObject } from './json.ts';
import type { FaultCondition, FaultSpec, Plan, Target } from './plan.ts';
import type { Topology } from './topology.ts';

/** A plan compiled against a runtime's capabilities and a seed: all that will happen, before anything has. */
export interface Timeline {
  /** sha-256 of the canonical JSON of everything below, roles symbolic. */
  digest: string;
  runtime: string;
  seed: number;
  plan: Plan;
  topology: Topology;
  scenarios: TimelineScenario[];
  faults: TimelineFault[];
  checks: TimelineCheck[];
  /** Load lasts from t = 0 to here. */
  loadMs: number;
  warmUpMs: number;
  /** Sentences where a driver means something different from the design's default. */
  notes: string[];
}

export interface TimelineScenario {
  name: string;
  driver: string;
  /** Journey starts from t = 0, in all and by journey; undefined where the answers decide: not known before the run. */
  starts: number | undefined;
  startsByJourney: Record<string, number> | undefined;
  durationMs: number;
}

export interface TimelineFault {
  name: string;
  kind: string;
  /** Its turn if all goes as planned. */
  atMs: number;
  forMs: number;
  /** The span that `atMs` was drawn from. */
  drawn?: { fromMs: number; toMs: number };
  /** What must have come besides its time, and how much later than `atMs` its turn may be; as in the plan. */
  after?: FaultCondition[];
  lateMs?: number;
  flap?: NonNullable<FaultSpec['flap']>;
  target: Target;
  params: JsonObject;
  effects: Effect[];
  /** Driver name for each effect, same order. */
  drivers: string[];
  /** Worst case over all effects. */
  blast: { idcs: string[]; nodes: string[]; services: string[] };
}

export interface TimelineCheck {
  check: string;
  params: JsonObject;
  advisory: boolean;
  sampleNeeded: number | undefined;
  sampleExpected: number | undefined;
}
