import { SECOND_MS, WINDOW_BYTES, WindowCells } from './window-cells.ts';

/** A second's first row waits this much longer than its deadline, so that answers on the way in are counted in it. */
const GRACE_MS = 250;
/** Answers later than that are gathered this long before they make a further row. */
const LATE_GATHER_MS = 1000;
/** Windows kept for the next second instead of being made anew. */
const SPARE_MAX = 64;

/** A window whose time has come: read it out, then give it back by `release`. */
export interface ClosedWindow {
  label: number;
  fromMs: number;
  cells: WindowCells;
}

interface OpenWindow {
  cells: WindowCells;
  fromMs: number;
  giveOutMs: number;
}

/**
 * Windows of one scenario by label and INTENDED second. A second's row is given out once at its deadline; what comes
 * later makes further rows that add up. Holds no more than the seconds still open.
 */
export class WindowBook {
  readonly #withinMs: number;
  readonly #allocate: () => ArrayBufferLike;
  /** By label: the seconds still open, and the one that was asked for last. */
  readonly #open: Map<number, OpenWindow>[];
  readonly #latest: (OpenWindow | undefined)[];
  readonly #spare: WindowCells[] = [];
  #nowMs = Number.NEGATIVE_INFINITY;

  constructor(labels: number, withinMs: number, allocate = (): ArrayBufferLike => new ArrayBuffer(WINDOW_BYTES)) {
    this.#withinMs = withinMs;
    this.#allocate = allocate;
    this.#open = Array.from({ length: labels }, () => new Map<number, OpenWindow>());
    this.#latest = this.#open.map(() => undefined);
  }

  at(label: number, intendedMs: number): WindowCells {
    const fromMs = Math.floor(intendedMs / SECOND_MS) * SECOND_MS;
    const latest = this.#latest[label];
    if (latest !== undefined && latest.fromMs === fromMs) return latest.cells;
    const seconds = this.#open[label]!;
    let window = seconds.get(fromMs);
    if (window === undefined) {
      const deadlineMs = fromMs + SECOND_MS + this.#withinMs + GRACE_MS;
      const giveOutMs = deadlineMs > this.#nowMs ? deadlineMs : this.#nowMs + LATE_GATHER_MS;
      window = { cells: this.#spare.pop() ?? new WindowCells(this.#allocate()), fromMs, giveOutMs };
      seconds.set(fromMs, window);
    }
    this.#latest[label] = window;
    return window.cells;
  }

  /** The windows whose time has come, oldest second first; `Infinity` gives out all. */
  giveOut(nowMs: number): ClosedWindow[] {
    this.#nowMs = nowMs;
    const closed: ClosedWindow[] = [];
    this.#open.forEach((seconds, label) => {
      for (const [fromMs, window] of seconds) {
        if (window.giveOutMs > nowMs) continue;
        seconds.delete(fromMs);
        if (this.#latest[label] === window) this.#latest[label] = undefined;
        closed.push({ label, fromMs, cells: window.cells });
      }
    });
    return closed.sort((a, b) => a.fromMs - b.fromMs || a.label - b.label);
  }

  /** Takes back cells that were given out and have been cleared. */
  release(cells: WindowCells): void {
    if (this.#spare.length < SPARE_MAX) this.#spare.push(cells);
  }
}
