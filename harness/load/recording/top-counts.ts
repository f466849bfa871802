const MOST_KEYS = 50_000;

/** Counts of keys in bounded memory: exact while there are few; beyond, the rarest are counted together. */
export class TopCounts {
  readonly #counts = new Map<string, number>();
  /** Counts of keys that were given up. A key that comes again after that is counted anew. */
  givenUp = 0;

  add(key: string): void {
    const before = this.#counts.get(key);
    if (before === undefined && this.#counts.size >= MOST_KEYS) this.#prune();
    this.#counts.set(key, (before ?? 0) + 1);
  }

  top(most: number): [key: string, count: number][] {
    return this.#sorted().slice(0, most);
  }

  get keys(): number {
    return this.#counts.size;
  }

  #sorted(): [string, number][] {
    return [...this.#counts].sort(([a, x], [b, y]) => y - x || (a < b ? -1 : 1));
  }

  #prune(): void {
    for (const [key, count] of this.#sorted().slice(MOST_KEYS / 2)) {
      this.#counts.delete(key);
      this.givenUp += count;
    }
  }
}
