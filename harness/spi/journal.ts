import type { Histogram } from '../core/histogram.ts';
import type { Json, JsonObject } from './json.ts';
import type { CanaryResult, LoadHealth, LoadSummary, LoadWindow } from './load.ts';
import type { Timeline } from './timeline.ts';

/** The phases of a run, in order. `heal-stale` comes before the journal of this run has anything to tell. */
export const PHASES = ['up', 'preflight', 'warm-up', 'load', 'recovery', 'drain', 'audit', 'down'] as const;
export type Phase = (typeof PHASES)[number];

/** Steps of one fault. Also the points at which the safety tests stop the tool. */
export type FaultStep = 'prepare' | 'fsync' | 'apply' | 'probe-bite' | 'hold' | 'revert' | 'probe-heal';

/** Every event. `atMs` is epoch time; `tMs` is relative to t = 0 and absent before the load's origin is known. */
export type JournalEvent = { seq: number; atMs: number; tMs?: number } & JournalBody;

export type JournalBody =
  | {
      type: 'run.opened';
      version: 1;
      runId: string;
      marker: string;
      planText: string;
      timeline: Timeline;
      versions: Record<string, string>;
      machine: JsonObject;
      argv: string[];
      injectFaults: boolean;
      /** This run sent only its stripe of the schedule; `index` from 1. */
      segment?: { index: number; of: number };
      /** This journal is several segments' put together; their run ids. */
      mergedFrom?: string[];
    }
  | { type: 'phase.opened'; phase: Phase }
  | { type: 'phase.closed'; phase: Phase; ms: number }
  | { type: 'stack.progress'; message: string }
  | { type: 'stack.up'; ms: number; nodes: { id: string; of: string; idc: string }[]; links: number; notes: string[] }
  | { type: 'node.exited'; node: string; why: string; expected: boolean }
  | { type: 'canary'; scenario: string; results: CanaryResult[] }
  | { type: 'load.origin'; originMs: number }
  | { type: 'load.window'; row: LoadWindow }
  | { type: 'load.health'; row: LoadHealth }
  | { type: 'load.ended'; scenario: string; summary: LoadSummary }
  | { type: 'load.failed'; scenario: string; message: string }
  | { type: 'steady-state'; scenario: string; met: boolean; good: number; bad: number; p99Ms: number; because: string }
  | {
      type: 'sample';
      tool: { rssBytes: number; cpuShare: number };
      load: { rssBytes: number }[];
      proxies: { rssBytes: number }[];
    }
  | { type: 'fault.step'; fault: string; step: FaultStep; edge: 'begin' | 'end'; note?: string }
  | { type: 'fault.commanded'; fault: string; targets: string[] }
  | { type: 'fault.bitten'; fault: string; proofs: Proof[] }
  | { type: 'fault.not-bitten'; fault: string; because: string; proofs: Proof[] }
  | { type: 'fault.reverting'; fault: string; why: 'hold-over' | 'guard' | 'interrupt' | 'failure' }
  | { type: 'fault.healed'; fault: string; proofs: Proof[] }
  | { type: 'fault.not-healed'; fault: string; because: string; proofs: Proof[] }
  | { type: 'fault.skipped'; fault: string; because: string }
  | { type: 'guard.tripped'; rule: string; of: string; bad: number; total: number; because: string }
  | { type: 'interrupted'; by: string }
  | {
      type: 'audit.acks';
      store: string;
      journey: string;
      acked: number;
      unknown: number;
      refused: number;
      found: number;
      missing: number;
      missingKeys: string[];
      unknownKept: number;
      because?: string;
    }
  | {
      type: 'audit.invariant';
      name: string;
      expect: 'equal' | 'zero';
      values: { store: string; value: string }[];
      holds: boolean;
      because?: string;
    }
  | {
      type: 'audit.marker';
      store: string;
      realLeaks: number;
      shadowLeaks: number;
      realRows: string[];
      shadowRows: string[];
      shadowSeen: number;
    }
  | { type: 'audit.failed'; what: string; message: string }
  | { type: 'log'; level: 'info' | 'warn' | 'error'; message: string }
  | { type: 'error'; code: string; message: string; hint: string }
  | { type: 'leftover'; what: string; hint: string }
  | { type: 'run.closed'; outcome: 'completed' | 'interrupted' | 'aborted' | 'failed'; files: Record<string, string> };

export interface Proof {
  on: string;
  holds: boolean;
  value: Json;
  unit: string;
  because: string;
  /** Epoch ms at which the measurement that settled it ended. */
  atMs: number;
}

/** A run's fault as the journal tells it; times in ms from t = 0. */
export interface FaultRecord {
  name: string;
  kind: string;
  commandedMs: number | undefined;
  bittenMs: number | undefined;
  revertingMs: number | undefined;
  healedMs: number | undefined;
  notBitten: string | undefined;
  notHealed: string | undefined;
  skipped: string | undefined;
  targets: string[];
  biteProofs: Proof[];
  healProofs: Proof[];
  evidence: number[];
}

/** One second of one journey with all its rows added up. */
export interface SecondRow extends Omit<LoadWindow, 'fromIntended' | 'service'> {
  badCount: number;
  fromIntended: Histogramish;
  service: Histogramish;
  evidence: number[];
}

/** What checks need of a histogram, so that they do not depend on how it is kept. */
export interface Histogramish {
  count: number;
  /** Value (µs) at a quantile in [0, 1]: the highest value equivalent to the recorded one. */
  quantile(q: number): number;
  max: number;
  /** Adds all of it to another one. */
  addTo(target: Histogram): void;
}

/** A journal parsed once. Pure; the only thing a check sees. */
export interface JournalView {
  events: readonly JournalEvent[];
  run: Extract<JournalEvent, { type: 'run.opened' }>;
  closed: Extract<JournalEvent, { type: 'run.closed' }> | undefined;
  timeline: Timeline;
  faults: readonly FaultRecord[];
  /** Seconds from t = 0 on (warm-up excluded), in order; whole journeys unless `step` is named. */
  seconds(filter: { scenario: string; journey?: string; step?: string; region?: string }): readonly SecondRow[];
  of<T extends JournalEvent['type']>(type: T): readonly Extract<JournalEvent, { type: T }>[];
}
