import type { CanaryResult, LoadHealth, LoadSummary } from '../spi/load.ts';
import type { SampleOutput } from './sample-windows.ts';

export type ForeignEngineName = 'k6' | 'autocannon';

/** Another program's load engine, as the process of ours around it sees it. */
export interface ForeignEngine {
  /** Everything up to the first request: resolves when `begin` can be told. */
  prepare(): Promise<void>;
  canary(): Promise<CanaryResult[]>;
  /** `originMs` is the epoch time of t = 0. */
  begin(originMs: number): void;
  /** No new starts. Also before `begin`. */
  stop(): void;
  /** Resolves when the engine has ended and all that it said was read; rejects when it ended otherwise. */
  ended: Promise<void>;
  /** What has become final since the last call; all the rest once it has ended. */
  output(): SampleOutput;
  summary(): LoadSummary;
  /** How it did since the last call. */
  health(): LoadHealth;
}
