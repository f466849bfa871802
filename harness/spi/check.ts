import type { JournalView } from './journal.ts';
import type { JsonObject, Schema } from './json.ts';

export type Verdict = 'pass' | 'fail' | 'unknown';

/** Judges a finished run from its journal and nothing else. */
export interface Check<P = JsonObject> {
  kind: string;
  summary: string;
  params: Schema<P>;
  /** Fewest samples with which `pass` is possible at all. */
  sampleNeeded?(params: P): number | undefined;
  /** How many starts the params look at, of those the timeline has; for the warning in `validate`. */
  sampleOf?(params: P): { scenario: string; journey?: string; region?: string } | undefined;
  evaluate(view: JournalView, params: P): Finding[];
}

export interface Finding {
  check: string;
  /** What it is about: a scenario, a scenario and journey, a store, a fault. */
  scope: string;
  verdict: Verdict;
  /** What a sample is. */
  basis: 'requests' | 'seconds' | 'trials';
  claim: string;
  measured: { value: number; unit: string; low?: number; high?: number };
  threshold: { value: number; unit: string } | undefined;
  sampleCount: number;
  /** The sentence the user reads. */
  because: string;
  /** Journal sequence numbers. */
  evidence: number[];
  /** Shown, never changes the exit code. */
  advisory: boolean;
}
