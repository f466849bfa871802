import type { Effect } from './fault.ts';
import type { JsonObject } from './json.ts';
import type { Plan, Target } from './plan.ts';
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
  atMs: number;
  forMs: number;
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
