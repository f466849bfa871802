import { Chance } from '../core/random.ts';
import type { Recorded } from './recording/recorded.ts';
import { sessionHash } from './recording/session-table.ts';
import { TimeHeap } from './time-heap.ts';

/** Copies of a session beside the first begin at most this much later, in recorded time. */
const SPREAD_MS = 1000;
/** Read ahead of what is due. */
const AHEAD_MAX = 20_000;

/** One request that is to be sent again. */
export interface DueRequest {
  /** Ms from t = 0. */
  dueMs: number;
  recorded: Recorded;
  /** When it began in the recording, its copy's shift included; epoch ms. */
  atMs: number;
  /** The session that it belongs to, by name and copy; requests without one have one of their own. */
  session: string;
}

export interface ReplaySourceOptions {
  records: AsyncIterable<Recorded>;
  /** Epoch ms of the recording's first request. */
  firstMs: number;
  speed: number;
  /** How many times each session is sent. */
  copies: number;
  /** Ms from t = 0 at which the first request is due. */
  startMs: number;
  /** Nothing due from here on is given, ms from t = 0. */
  endMs: number;
  seed: number;
}

/**
 * A recording as a schedule: every request's time is computed from the recording's beginning alone, so nothing adds up
 * however long it is. Sessions are multiplied as sessions: each further copy is all of one, a little later, by chance that
 * the seed decides. Memory is bounded by what is read ahead.
 */
export class ReplaySource {
  readonly #options: ReplaySourceOptions;
  readonly #chance: Chance;
  readonly #heap = new TimeHeap<DueRequest>();
  /** Recorded time that reading has come to: what is due later than that may yet be preceded. */
  #readMs = Number.NEGATIVE_INFINITY;
  #number = 0;
  #exhausted = false;
  #wake: (() => void) | undefined;

  constructor(options: ReplaySourceOptions) {
    this.#options = options;
    this.#chance = new Chance(`${options.seed}/replay`);
  }

  /** Whether everything has been given. */
  get exhausted(): boolean {
    return this.#exhausted && this.#heap.size === 0;
  }

  /** When the next request is due; Infinity while it is not known. */
  get nextMs(): number {
    const { first } = this.#heap;
    return first !== undefined && (this.#exhausted || first.atMs <= this.#readMs)
      ? first.dueMs
      : Number.POSITIVE_INFINITY;
  }

  /** The next request if its time has come by `ms`. */
  take(ms: number): DueRequest | undefined {
    if (this.nextMs > ms) return undefined;
    const first = this.#heap.take();
    if (this.#heap.size < AHEAD_MAX / 2) this.#wake?.();
    return first;
  }

  /** Reads the recording, ahead of what is taken, until its end; rejects when it cannot be read. */
  async fill(): Promise<void> {
    const { records, endMs } = this.#options;
    for await (const recorded of records) {
      const dueMs = this.#dueMs(recorded.atMs);
      if (dueMs >= endMs) break;
      this.#readMs = recorded.atMs;
      this.#add(recorded);
      if (this.#heap.size >= AHEAD_MAX) await new Promise<void>((resolve) => (this.#wake = resolve));
    }
    this.#exhausted = true;
  }

  #add(recorded: Recorded): void {
    const number = this.#number++;
    const name = recorded.session ?? `#${number}`;
    for (let copy = 0; copy < this.#options.copies; copy++) {
      const atMs = recorded.atMs + (copy === 0 ? 0 : this.#shiftMs(name, copy));
      const dueMs = this.#dueMs(atMs);
      if (dueMs < this.#options.endMs)
        this.#heap.add(dueMs, { dueMs, recorded, atMs, session: copy === 0 ? name : `${name}*${copy}` });
    }
  }

  /** The same for every request of one copy, whoever asks. */
  #shiftMs(session: string, copy: number): number {
    return this.#chance.seek(sessionHash(session), copy).next() * SPREAD_MS;
  }

  #dueMs(atMs: number): number {
    const { firstMs, speed, startMs } = this.#options;
    return (atMs - firstMs) / speed + startMs;
  }
}
