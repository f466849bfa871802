import type { Finding, Verdict } from './check.ts';
import type { JournalEvent, JournalView } from './journal.ts';
import type { JsonObject } from './json.ts';

/** `report.json`. `version` changes when a reader of the last one would misread this one. */
export interface Report {
  version: 1;
  runId: string;
  verdict: Verdict;
  exitCode: number;
  outcome: 'completed' | 'interrupted' | 'aborted' | 'failed';
  /** The verdict in one or two sentences. */
  summary: string;
  plan: { name: string; hypothesis: string; file: string; text: string; digest: string };
  seed: number;
  runtime: string;
  startedAt: string;
  endedAt: string;
  versions: Record<string, string>;
  machine: JsonObject;
  findings: Finding[];
  notes: string[];
  /** Per scenario and journey: scheduled, sent, good, bad by class, latency percentiles in ms. */
  totals: ReportTotals[];
  /** The traffic as declared and as sent. */
  traffic: ReportTraffic[];
  faults: ReportFault[];
  /** What was not healed or not removed; empty on a good end. */
  leftovers: string[];
  error: { code: string; message: string; hint: string } | undefined;
}

export interface ReportTotals {
  scenario: string;
  journey: string;
  step?: string;
  /** Of the journey's users, those of one region. */
  region?: string;
  scheduled: number;
  sent: number;
  good: number;
  bad: Record<string, number>;
  abandoned: number;
  /** Of a step: not wanted, by the declared conversion. */
  left: number;
  fromIntendedMs: { p50: number; p90: number; p99: number; p999: number; max: number };
  serviceMs: { p50: number; p90: number; p99: number; p999: number; max: number };
}

export interface ReportTraffic {
  scenario: string;
  /** `rate`, a journey's or region's share, a region's round trip, or the way from one step to the next. */
  what: string;
  /** Undefined where the plan leaves it to the answers. */
  declared: number | undefined;
  measured: number;
  unit: 'per second' | 'ratio' | 'ms';
}

/** Times in ms from t = 0; undefined where it never came to that. */
export interface ReportFault {
  name: string;
  kind: string;
  target: string;
  commandedMs: number | undefined;
  bittenMs: number | undefined;
  revertingMs: number | undefined;
  healedMs: number | undefined;
  recoveredMs: number | undefined;
  bite: string;
  heal: string;
}

/** A reporter that throws fails alone: the run goes on and the report says so. */
export interface Reporter {
  name: string;
  onEvent?(event: JournalEvent): void;
  /** Returns the paths written. `runDir` is where the run's side files lie, when that is not `outDir`. */
  write?(report: Report, view: JournalView, outDir: string, runDir?: string): Promise<string[]>;
}
