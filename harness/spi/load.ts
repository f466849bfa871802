import type { Scenario } from './plan.ts';
import type { Support } from './runtime.ts';

/** Why a step or journey was bad. */
export type BadClass =
  | 'timeout' // no full answer within the deadline
  | 'status' // answered in time, with a status not expected
  | 'refused' // connection refused
  | 'reset' // connection reset or closed before the answer was complete
  | 'dns'
  | 'tls' // no secure connection: certificate or protocol
  | 'body' // the answer lacked what `take` needs, or was not HTTP
  | 'check' // answered as expected, but something that the step checks did not hold
  | 'dropped' // never sent: the in-flight cap was full
  | 'unfinished'; // still in flight when the drain ended

/** One second of one journey or step, by INTENDED start. Several rows for the same key add up. */
export interface LoadWindow {
  scenario: string;
  journey: string;
  /** Absent: the row counts whole journeys. */
  step?: string;
  /** Of a scenario with regions: where the journeys' users are. Only in journey rows; steps are not told apart by it. */
  region?: string;
  /** Relative to t = 0, so warm-up is negative; `toMs` is `fromMs + 1000`. */
  fromMs: number;
  toMs: number;
  /** Starts that the schedule had in this second; only in journey rows. */
  scheduled: number;
  sent: number;
  /** Never sent because the in-flight cap was full: the system's doing, also in `bad`. */
  droppedCap: number;
  /** Never sent because the generator was too late: neither good nor bad here. */
  droppedLate: number;
  /** Later steps never sent because an earlier one was bad; only in step rows. */
  abandoned: number;
  /** Later steps not wanted, by the declared conversion; only in step rows, and absent for none. */
  left?: number;
  good: number;
  bad: Partial<Record<BadClass, number>>;
  excluded: number;
  /** Intended starts, relative to t = 0, of the first and last bad one. */
  firstBadMs?: number;
  lastBadMs?: number;
  latenessP99Ms: number;
  inFlightMax: number;
  /** `core/histogram` encodings, µs. From the intended start, bad ones at their deadline or more; and from the real send. */
  fromIntended: string;
  service: string;
}

/** One acknowledgeable write. `unknown`: sent, and no answer that says yes or no. */
export interface Ack {
  key: string;
  scenario: string;
  journey: string;
  sentMs: number;
  answeredMs: number | null;
  outcome: 'acked' | 'refused' | 'unknown';
}

export interface StepFailure {
  scenario: string;
  journey: string;
  step: string;
  intendedMs: number;
  sentMs: number | null;
  endedMs: number;
  class: BadClass;
  status: number | null;
  /** First bytes of the answer, masked; at most 500 characters. */
  body: string | null;
  traceparent: string;
}

/** How well the generator itself kept up, once a second. */
export interface LoadHealth {
  scenario: string;
  atMs: number;
  eventLoopP99Ms: number;
  /** Of one core, by the whole generator. */
  cpuShare: number;
  rssBytes: number;
  inFlight: number;
  /** Of the machine's processor time, what a hypervisor gave to others; absent where the system does not tell. */
  stealShare?: number;
  /** How sends were timed. */
  pacer?: 'timer' | 'spin';
  /** Of a scenario with regions, now and then: what the way from each adds to a round trip under this load. */
  ways?: RegionMeasured[];
}

/** What the load tells the run while it goes. Every call is cheap and never throws. */
export interface LoadSink {
  windows(rows: LoadWindow[]): void;
  acks(rows: Ack[]): void;
  failures(rows: StepFailure[]): void;
  health(row: LoadHealth): void;
}

export interface LoadSpec {
  runId: string;
  scenario: Scenario;
  /** Base URL. */
  target: string;
  seed: number;
  /** Filled in for `{marker}`: the run's own for shadow scenarios, a neutral one for real ones. */
  marker: string;
  users: { from: number; to: number };
  /** `{n}` of this scenario's first start; runs with several scenarios space them so that no two share a number. */
  firstNumber?: number;
  /** Length of the steady-state window between warm-up and t = 0. */
  steadyMs: number;
  /** How long after the last start answers are still awaited. */
  drainMs: number;
  /** This generator's stripe of the schedule: the starts i with i mod `of` = `index`. Absent: all of them. */
  stripe?: { index: number; of: number };
}

export interface CanaryResult {
  journey: string;
  good: boolean;
  /** Keys acknowledged by it. */
  acks: string[];
  because: string;
  /** Set where no journey was tried but the way from a region: `good` when it takes what was asked for. */
  region?: RegionMeasured;
}

/** The round trip from a region beyond the one from the generator itself. */
export interface RegionMeasured {
  name: string;
  askedMs: number;
  /** Undefined when there was no answer. */
  measuredMs?: number;
}

export interface LoadDriver {
  name: string;
  detect(signal: AbortSignal): Promise<Support>;
  accepts(scenario: Scenario): Support;
  /** Starts the generator's own process, idle. It ends within 2 s of its parent's death. */
  start(spec: LoadSpec, sink: LoadSink, signal: AbortSignal): Promise<LoadJob>;
}

export interface LoadJob {
  pid: number | undefined;
  /** One run of each journey, before the load, one after the other; with every key and value marked as in the load. */
  canary(signal: AbortSignal): Promise<CanaryResult[]>;
  /** `originMs` is the epoch time of t = 0; warm-up starts at `originMs - steadyMs - warmUpMs`. */
  begin(originMs: number): void;
  /** No new starts; resolves like `done`. */
  stop(): Promise<LoadSummary>;
  /** Resolves after the drain, when every row has been handed to the sink. Rejects when the generator died. */
  done: Promise<LoadSummary>;
}

export interface LoadSummary {
  scheduled: number;
  sent: number;
  good: number;
  bad: number;
  failuresOmitted: number;
  /** When a feed whose rows are used once had no more: the scenario ended there. */
  dryAtMs?: number;
}
