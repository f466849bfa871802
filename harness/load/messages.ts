import type { Ack, CanaryResult, LoadHealth, LoadSpec, LoadSummary, LoadWindow, StepFailure } from '../spi/load.ts';
import type { Address } from '../spi/runtime.ts';
import type { ReadFeed } from './feed.ts';

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
  | { type: 'output'; windows: LoadWindow[]; acks: Ack[]; failures: StepFailure[]; health: LoadHealth[] }
  | { type: 'done'; summary: LoadSummary }
  | { type: 'failed'; message: string };

/** What a sending thread is started with. */
export interface SenderData {
  spec: LoadSpec;
  tag: Record<string, string>;
  /** Of a replay: the kinds of request that are counted for themselves. */
  kinds: readonly string[];
  /** By name; all threads have the same memory. */
  feeds: Record<string, ReadFeed>;
  /** Of a scenario with regions: where the way from each of them begins, in their order. */
  ways?: readonly Address[];
}

/** What the process's main thread says to a sending thread; `taken`: the last batch has been read out and cleared. */
export type ToSender = { type: 'canary' } | { type: 'begin'; originMs: number } | { type: 'stop' } | { type: 'taken' };

/** How a sending thread itself is, since it said so last. */
export interface SenderHealth {
  atMs: number;
  eventLoopP99Ms: number;
  inFlight: number;
  pacer: 'timer' | 'spin';
}

/** What a sending thread says. Windows lie in shared memory and are the main thread's until it says `taken`. */
export type FromSender =
  | { type: 'ready' }
  | { type: 'canary'; results: CanaryResult[] }
  | {
      type: 'batch';
      windows: { label: number; fromMs: number; buffer: ArrayBufferLike }[];
      acks: Ack[];
      failures: StepFailure[];
      health: SenderHealth | undefined;
      /** With the last batch. */
      summary: LoadSummary | undefined;
    };
