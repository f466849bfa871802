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
  executor: ExecutorName;
  engine: 'native' | 'k6' | 'autocannon';
  /** From t = 0: journeys started per second; for `constant-vus` and `ramping-vus`, users at once. Empty for `replay`. */
  segments: RateSegment[];
  /** The first non-zero rate (or number of users): what warm-up and the steady-state window run at. */
  warmUpRate: number;
  warmUpMs: number;
  /** Exact shares that sum to 1; striped, not drawn. */
  mix: { journey: string; share: number }[];
  journeys: Record<string, JourneyStep[]>;
  good: GoodRule;
  shadow: boolean;
  /** Only of the executor `replay`: what is sent again. Its `segments` are the recording's mean rate over its length. */
  replay?: ReplaySpec;
  /** Most journeys in flight at once; a start beyond it is dropped and bad. */
  inFlightMax: number;
  /** Feed name → where its rows come from; a journey sees a row's columns as `{feed.column}`. */
  feeds?: Record<string, FeedSpec>;
  /** A k6 script of the user's own, absolute; only with `engine: k6`. */
  script?: string;
  /** sha-256 of the script's bytes; modules that it imports are not in it. */
  scriptContents?: string;
  /** How the native engine speaks HTTP; absent: HTTP/1.1, directly. */
  http?: { version: 1 | 2; proxy: string | undefined };
  /** Where users are; absent: all of them where the generator is. Each start is dealt to one, exactly by share. */
  regions?: RegionSpec[];
  /** Threads that the native engine's generator sends from; absent: one. */
  threads?: number;
}

/** Open models (rates) send whatever the answers do; closed ones (users) wait for an answer before they go on. */
export type ExecutorName =
  | 'constant-arrival-rate'
  | 'ramping-arrival-rate'
  | 'poisson'
  | 'constant-vus'
  | 'ramping-vus'
  | 'replay';

/** Yesterday's traffic as today's load. What comes before t = 0, warm-up and steady state, is the recording's beginning. */
export interface ReplaySpec {
  /** Absolute path of the recording. */
  recording: string;
  /** 2: in half the time. */
  speed: number;
  /** How many times each session is sent, as sessions beside each other. */
  sessions: number;
  /** Absolute path of a module of the user's whose default export signs a request again; absent: nothing is signed. */
  sign?: string;
}

/** Users that are far from the system: what their way adds to that of the generator. Whole ms. */
export interface RegionSpec {
  name: string;
  /** The shares of a scenario's regions sum to 1. */
  share: number;
  /** Added to every round trip once the connection is made, half of it each way. */
  rttMs: number;
  /** The round trip is so much shorter or longer, evenly. */
  jitterMs: number;
  /** Of each connection, each way; undefined: without a limit of its own. */
  bytesPerSecond: number | undefined;
  /** Share of packets that get lost. */
  lossRatio: number;
}

/** Rows for journeys. `file` paths are absolute. */
export interface FeedSpec {
  source:
    | { csv: string }
    | { jsonLines: string }
    /** Column → template with `{row}` (from 1) in it, and how many rows there are. */
    | { generate: Record<string, string>; rows: number };
  /**
   * `unique`: start i of the load (over all threads and segments) has row i, and a feed that runs dry ends the scenario;
   * `circular`: the same, from the first row again; `random`: drawn by the journey's own chance, weighted by `skew`.
   */
  order: 'unique' | 'circular' | 'random';
  skew: FeedSkew | undefined;
  /** sha-256 of the file's bytes, so that other rows are another plan. */
  contents?: string;
}

/** Row k (from 1) weighs k^-zipf; rows whose `column` has a named value weigh `times` what they would. */
export interface FeedSkew {
  zipf: number;
  whales: { column: string; times: Record<string, number> } | undefined;
}

export interface GoodRule {
  /** Each step's deadline, from its intended start. */
  withinMs: number;
  /** The whole journey's deadline, from its scheduled start. */
  journeyWithinMs: number | undefined;
  /** Whether 429 and 503 are left out of good and bad. */
  shed: 'bad' | 'excluded';
}

/** One injection, whatever list, lane or repetition of the plan it comes from. */
export interface FaultSpec {
  name: string;
  kind: string;
  /** From t = 0: its turn if all goes as planned and every draw is 0. */
  atMs: number;
  forMs: number;
  target: Target;
  params: JsonObject;
  /** Its turn is put off by the sum of these, each drawn from the seed; faults of one group share theirs. */
  draws?: FaultDraw[];
  /** Its turn is when its time and all of these have come. */
  after?: FaultCondition[];
  /** How much later than `atMs` (draws included) its turn may come at worst; later, it is skipped. Absent: 0. */
  lateMs?: number;
  /** Set on each turn of a fault that goes on and off; `turn` from 1. */
  flap?: { of: string; turn: number; turns: number };
}

/** Chance in a schedule: 0 to `spreadMs`, both included, from the fork of the seed that `of` names. */
export interface FaultDraw {
  of: string;
  spreadMs: number;
}

/**
 * A moment of another fault, and a delay from then. `over`: nothing of it stands, since it is proved healed or was never
 * injected; `healed`: the same after it bit; `recovered`: healed, and then 5 s as good as the steady state.
 */
export interface FaultCondition {
  fault: string;
  moment: 'bitten' | 'healed' | 'recovered' | 'over';
  delayMs: number;
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
  /** The plan said that faults may take more at one moment than the stack can claim to survive. */
  faultBudget?: 'none';
}

export interface CheckSpec {
  check: string;
  /** Normalised parameters of that check, as its schema returned them. */
  params: JsonObject;
  advisory: boolean;
}
