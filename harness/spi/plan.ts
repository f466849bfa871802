import type { RateSegment } from '../core/rate-curve.ts';
import type { JsonObject } from './json.ts';
import type { JourneyStep, Stack } from './stack.ts';

/** A plan after validation: units resolved to ms and per-second numbers, references checked, nothing started. */
export interface Plan {
  name: string;
  hypothesis: string;
  /** Absolute path of the plan file. */
  file: string;
  stack: Stack;
  seed: number;
  load: Scenario[];
  steadyState: { forMs: number; goodRatio: number; p99Ms: number | undefined };
  faults: FaultSpec[];
  guard: GuardSpec;
  verify: CheckSpec[];
  recoveryWindowMs: number;
  allowHosts: string[];
  /** Set by the plan's `runtime:`; the command line wins. */
  runtime: 'auto' | 'local' | 'containers' | 'existing';
  proxy: 'seawall' | 'toxiproxy' | undefined;
}

export interface Scenario {
  name: string;
  executor: 'constant-arrival-rate' | 'ramping-arrival-rate';
  engine: 'native';
  /** From t = 0. */
  segments: RateSegment[];
  /** The first non-zero rate: what warm-up and the steady-state window run at. */
  warmUpRate: number;
  warmUpMs: number;
  /** Exact shares that sum to 1; striped, not drawn. */
  mix: { journey: string; share: number }[];
  journeys: Record<string, JourneyStep[]>;
  good: GoodRule;
  shadow: boolean;
  /** Most journeys in flight at once; a start beyond it is dropped and bad. */
  inFlightMax: number;
}

export interface GoodRule {
  /** Each step's deadline, from its intended start. */
  withinMs: number;
  /** The whole journey's deadline, from its scheduled start. */
  journeyWithinMs: number | undefined;
  /** Whether 429 and 503 are left out of good and bad. */
  shed: 'bad' | 'excluded';
}

export interface FaultSpec {
  name: string;
  kind: string;
  atMs: number;
  forMs: number;
  target: Target;
  params: JsonObject;
}

export type Target =
  | { idc: string }
  | { service: string; idc?: string }
  | { node: string }
  | { store: string; role: 'primary' | 'standby' }
  | { link: { from: string[]; to: string[] } };

export interface GuardSpec {
  /** `undefined`: the plan said `none`. */
  blastRadius: { idcs?: number; nodes?: number; services?: number } | undefined;
  abortWhen: { of: string; badRatio: number; overMs: number }[];
}

export interface CheckSpec {
  check: string;
  /** Normalised parameters of that check, as its schema returned them. */
  params: JsonObject;
  advisory: boolean;
}
