import type { CanaryResult, LoadHealth, LoadSpec, LoadSummary } from '../spi/load.ts';
import type { Output } from './executor.ts';

/** What the tool says to the generator's process. */
export type ToGenerator =
  | { type: 'spec'; spec: LoadSpec; tag: Record<string, string> }
  | { type: 'canary' }
  | { type: 'begin'; originMs: number }
  | { type: 'stop' };

/** What the generator's process says to the tool. `done` comes after the last `output`. */
export type FromGenerator =
  | { type: 'ready' }
  | { type: 'canary'; results: CanaryResult[] }
  | ({ type: 'output'; health?: LoadHealth } & Output)
  | { type: 'done'; summary: LoadSummary }
  | { type: 'failed'; message: string };
