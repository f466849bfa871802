import type { Timers } from '../timers.ts';
import type { Item } from './toxic.ts';

/** Items released in the order they came, each not before its due time; one timer for all of them. */
export class DelayQueue {
  #items: { item: Item; dueMs: number }[] = [];
  #lastDueMs = 0;
  #cancel: (() => void) | undefined;
  readonly #timers: Timers;
  readonly #release: (item: Item) => void;

  constructor(timers: Timers, release: (item: Item) => void) {
    this.#timers = timers;
    this.#release = release;
  }

  /** A due time before that of an earlier item is moved up to it, so that order is kept. */
  push(item: Item, dueMs: number): void {
    this.#lastDueMs = Math.max(this.#lastDueMs, dueMs);
    this.#items.push({ item, dueMs: this.#lastDueMs });
    this.#work();
  }

  /** Releases everything now. */
  flush(): void {
    const items = this.#items;
    this.clear();
    this.#lastDueMs = 0;
    for (const { item } of items) this.#release(item);
  }

  clear(): void {
    this.#cancel?.();
    this.#cancel = undefined;
    this.#items = [];
  }

  #work(): void {
    if (this.#cancel !== undefined) return;
    let due = 0;
    const now = this.#timers.now();
    while (due < this.#items.length && this.#items[due]!.dueMs <= now) due++;
    const ready = this.#items.splice(0, due);
    const next = this.#items[0];
    if (next !== undefined) {
      this.#cancel = this.#timers.after(next.dueMs - now, () => {
        this.#cancel = undefined;
        this.#work();
      });
    }
    for (const { item } of ready) this.#release(item);
  }
}
