import type { BadClass } from '../spi/load.ts';
import type { AnswerWants } from './response-parser.ts';
import type { Template, Value } from './template.ts';

/** A request with its templates cut up, as a transport wants to know it before the first one is sent. */
export interface RequestShape {
  method: string;
  /** Starts with `/`; filled values are percent-encoded in it. */
  path: Template;
  headers: readonly (readonly [string, Template])[];
  body: Template | undefined;
  wants: AnswerWants;
}

/** What became of one request: a whole answer, or why there was none. Header names are in lower case. */
export type Answer =
  | { ok: true; status: number; body: string; cut: boolean; headers: readonly string[] }
  | { ok: false; class: BadClass; status: number | null; body: string | null };

export interface Receiver {
  /** Called at most once, never before `send` has returned, and not after `cancel`. */
  answered(answer: Answer): void;
}

/** A request on its way. */
export interface Sent {
  /** No answer is wanted any more; the connection is destroyed with it. Only before `answered`. */
  cancel(): void;
}

export interface Sender {
  /** Whether it writes the trace itself, so that `values` need not hold its text. */
  readonly writesTrace: boolean;
  /** `values` fill the shape's templates, by slot; `trace` is as of `drawTrace`. */
  send(values: readonly Value[], trace: Uint32Array, receiver: Receiver): Sent;
}

/** Sends requests, never twice and never to where an answer points; injected, so that the executor runs on virtual time as well. */
export interface Transport {
  compile(shape: RequestShape): Sender;
  /**
   * Whether a start should be given now: it would go out at once or as soon as a connection has been opened for it.
   * False: it would wait for answers that this thread has not come to read yet, and may as well wait on its schedule; ask
   * again when one has come, and at each tick. Absent: always.
   */
  admits?(): boolean;
  /** Writes what it may hold back for a moment to write it together. */
  flush?(): void;
  close(): void;
}
