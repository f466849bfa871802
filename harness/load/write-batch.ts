/** Requests that are written together at most: the first one waits while the others are made. */
const BATCH_MAX = 8;

/** What has something to write. */
export interface Writes {
  write(): void;
}

/**
 * Holds requests back for a moment so that some are written one right after the other: reading, judging and writing in
 * turn costs more for each, and wakes a server that has nothing else to do for every single one. Written is when eight
 * have come together, when all that had come in has been read, or when `flush` says so. That is within the time it takes
 * to make eight requests, a tenth of a millisecond, and a request is timed from before it.
 */
export class WriteBatch {
  readonly #held: Writes[] = [];
  readonly #afterReading: (run: () => void) => unknown;
  readonly #flush = (): void => {
    this.#asked = false;
    this.flush();
  };
  #asked = false;

  /** `afterReading` calls back once what has come in by now has been read. */
  constructor(afterReading: (run: () => void) => unknown) {
    this.#afterReading = afterReading;
  }

  add(one: Writes): void {
    const held = this.#held;
    if (held.push(one) >= BATCH_MAX) this.flush();
    else if (!this.#asked) {
      this.#asked = true;
      this.#afterReading(this.#flush);
    }
  }

  /** Writes what is held. */
  flush(): void {
    const held = this.#held;
    for (let at = 0; at < held.length; at++) held[at]!.write();
    held.length = 0;
  }
}
