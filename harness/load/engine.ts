import type { LoadSummary } from '../spi/load.ts';
import type { Label } from './labels.ts';
import type { Output } from './load-book.ts';
import type { WindowCells } from './window-cells.ts';

/** What sends one scenario's load, driven from outside so that real and virtual time run the same code. */
export interface Engine {
  /** What the windows' labels mean. */
  readonly labels: readonly Label[];
  /** Whether the drain is over and every count final. */
  readonly done: boolean;
  readonly inFlight: number;
  readonly acksWaiting: number;
  readonly summary: LoadSummary;
  /** When there is something to do next, unless an answer comes first; ms from t = 0. */
  readonly nextMs: number;
  /** Ms from t = 0. */
  now(): number;
  /** Does all that is due now. Call it every millisecond or so, and whenever `nextMs` has come. */
  tick(): void;
  /** No start whose time comes after this; the drain begins. */
  stop(): void;
  /** What has become final since the last call; everything once `done`. Windows come back by `release`. */
  output(): Output;
  release(cells: WindowCells): void;
}

/** Makes the engine of a scenario when the load begins. */
export type EngineMaker = (at: { now: () => number; allocate: () => ArrayBufferLike }) => Engine;
