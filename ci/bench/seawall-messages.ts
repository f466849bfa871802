import type { LoadHealth, LoadSummary } from '../../harness/spi/load.ts';

/** What the benchmark asks of Seawall's own engine: one line of JSON on the standard input of seawall-load.ts. */
export interface LoadOrder {
  url: string;
  model: { kind: 'closed'; users: number } | { kind: 'open'; perSecond: number };
  warmUpMs: number;
  forMs: number;
  withinMs: number;
  inFlightMax: number;
  /** Each request's path is `/` and the number of its start; otherwise three journeys with constant paths. */
  numbered: boolean;
  /** Cores to move to once the generator is ready; absent: both stay where they were started. */
  pinTo?: { generator: number; tool: number };
}

/** One line of JSON each on its standard output. */
export type LoadNews =
  | { type: 'ready'; generatorPid: number }
  | { type: 'begun'; originMs: number }
  | { type: 'refused'; reason: string }
  | { type: 'done'; result: LoadResult };

/** Of the load from t = 0 on, without its warm-up. */
export interface LoadResult {
  originMs: number;
  summary: LoadSummary;
  scheduled: number;
  sent: number;
  good: number;
  bad: Record<string, number>;
  droppedCap: number;
  droppedLate: number;
  /** The journeys' and the steps' windows: how many rows there were to merge. */
  rows: number;
  /** Of each second and journey: its lateness p99, in ms. */
  latenessP99Ms: number[];
  /** `core/histogram` encodings, µs. */
  fromIntended: string;
  service: string;
  health: LoadHealth[];
}
