import { setTimeout as sleep } from 'node:timers/promises';

/** Lets some go first: the others wait until those are done, or for so long and no longer. */
export class HeadStart {
  readonly #open: Set<string>;
  readonly #done: Promise<void>;
  #settle: () => void = () => undefined;

  constructor(ids: readonly string[]) {
    this.#open = new Set(ids);
    this.#done = new Promise((resolve) => {
      this.#settle = resolve;
    });
    if (this.#open.size === 0) this.#settle();
  }

  /** One of them is done; others do not count. */
  done(id: string): void {
    this.#open.delete(id);
    if (this.#open.size === 0) this.#settle();
  }

  /** Resolves when all are done or `ms` are over; rejects when aborted. */
  async over(ms: number, signal: AbortSignal): Promise<void> {
    const waited = new AbortController();
    try {
      await Promise.race([this.#done, sleep(ms, undefined, { signal: AbortSignal.any([signal, waited.signal]) })]);
    } finally {
      waited.abort();
    }
  }
}
