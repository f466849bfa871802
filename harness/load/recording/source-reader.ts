import type { Recorded } from './recorded.ts';

/** What a reader of one source hands on. */
export interface SourceSink {
  /** `wholeSecond`: its time is right to the second only; `endStamped`: it is that of the end, not of the start. */
  request(request: Recorded, wholeSecond: boolean, endStamped: boolean): void;
  /** A line, entry or payload that is no request; `number` counts from 1. The bytes are only good until it returns. */
  malformed(number: number, reason: string, bytes: Buffer): void;
  /** A body that is no text or too large; its request goes on without it. */
  bodyLeftOut(): void;
}

/** Reads one source, piece by piece; the pieces' borders may lie anywhere. */
export interface SourceReader {
  push(piece: Buffer): void;
  end(): void;
}
