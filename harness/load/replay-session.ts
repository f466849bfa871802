import { LearnedValues } from './learned-values.ts';
import type { DueRequest } from './replay-source.ts';

/** Requests of one session that wait for an answer before them; beyond that the session is lost anyway. */
const WAITING_MAX = 100;

/**
 * One visit that is replayed. Its requests go out in their order; one that was sent after an earlier answer had come is
 * sent after that answer here too, one that was sent beside another goes beside it.
 */
export class ReplaySession {
  readonly learned = new LearnedValues();
  /** Requests that are on their way. */
  readonly #open = new Set<DueRequest>();
  readonly #waiting: DueRequest[] = [];

  get idle(): boolean {
    return this.#open.size === 0 && this.#waiting.length === 0;
  }

  /** Whether it is to be sent now; else it waits, or finds no room to. */
  offer(request: DueRequest): 'send' | 'wait' | 'full' {
    if (this.#waiting.length === 0 && this.#mayGo(request)) {
      this.#open.add(request);
      return 'send';
    }
    if (this.#waiting.length >= WAITING_MAX) return 'full';
    this.#waiting.push(request);
    return 'wait';
  }

  /** It is over. Gives those that need wait no longer, in order; they count as sent. */
  ended(request: DueRequest): DueRequest[] {
    this.#open.delete(request);
    const free: DueRequest[] = [];
    while (this.#waiting[0] !== undefined && this.#mayGo(this.#waiting[0])) {
      const next = this.#waiting.shift()!;
      this.#open.add(next);
      free.push(next);
    }
    return free;
  }

  /** Those that still wait, which are not to be sent any more. */
  giveUp(): DueRequest[] {
    return this.#waiting.splice(0);
  }

  #mayGo({ atMs }: DueRequest): boolean {
    for (const earlier of this.#open) {
      const { tookMs } = earlier.recorded;
      // Where the source does not tell how long an answer took, the next request is taken to have waited for it.
      if (tookMs === undefined || earlier.atMs + tookMs <= atMs) return false;
    }
    return true;
  }
}
