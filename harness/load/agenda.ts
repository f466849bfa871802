import { TimeHeap } from './time-heap.ts';

/** Things to do at given times, soonest first and in order of entry; driven from outside. */
export class Agenda {
  readonly #heap = new TimeHeap<() => void>();

  add(atMs: number, run: () => void): void {
    this.#heap.add(atMs, run);
  }

  /** Does all that is due by `ms`, including what that adds. */
  runUntil(ms: number): void {
    while (this.#heap.size > 0 && this.#heap.firstMs <= ms) this.#heap.take()!();
  }
}
