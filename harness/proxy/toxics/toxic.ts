import type { Random } from '../../core/random.ts';
import type { Timers } from '../timers.ts';

/** `upstream`: what the client sends; `downstream`: what the server sends. */
export type Stream = 'upstream' | 'downstream';
export const STREAMS: readonly Stream[] = ['upstream', 'downstream'];

/**
 * What travels along one direction of a connection: bytes, or what ends it. `end`: the sender's FIN; `reset`: its reset;
 * `gone`: there never was a sender, because the upstream could not be dialled; `over`: a toxic ends the connection on
 * both sides once what went before has been delivered.
 */
export type Item = Buffer | Ending;
export type Ending = 'end' | 'reset' | 'gone' | 'over';

export type Attributes = Record<string, number>;

/** A toxic as the API shows it. */
export interface Toxic {
  name: string;
  type: string;
  stream: Stream;
  /** Share of connections it affects, in [0, 1]. */
  toxicity: number;
  attributes: Attributes;
}

/** What a stage may do to the connection it stands in. */
export interface StageContext {
  timers: Timers;
  random: Random;
  /** Hands an item on to what follows. */
  pass: (item: Item) => void;
  /** Says that so many bytes that were pushed will never be passed. */
  discard: (bytes: number) => void;
  /** Ends the connection on both sides, now. */
  close: (how: 'fin' | 'reset') => void;
}

/** One toxic at work in one direction of one connection. */
export interface Stage {
  /** While true nothing at all gets past: a connection silent both ways needs no upstream. */
  readonly silent: boolean;
  push(item: Item): void;
  update(attributes: Attributes): void;
  /** The toxic was taken off: hands on whatever is held, or closes the connection where bytes were lost. */
  remove(): void;
  /** The connection is over: stops timers and forgets what is held. */
  dispose(): void;
}

export interface ToxicType {
  type: string;
  /** Whole numbers from `min` (0 where none is named); an attribute left out is 0. */
  attributes: Record<string, { min?: number; max: number }>;
  /** What is wrong with attributes that are right one by one. */
  problem?(attributes: Attributes): string | undefined;
  start(attributes: Attributes, context: StageContext): Stage;
}
