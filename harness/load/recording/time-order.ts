/** How far out of order a source may be: a request that took longer than this to be logged comes too late. */
export const REORDER_WINDOW_MS = 60_000;
/** At most so many requests are held for it; at higher rates the window is shorter. */
export const REORDER_WINDOW_REQUESTS = 100_000;
const BUCKET_MS = 1000;

interface Bucket {
  times: number[];
  rows: number[];
}

/**
 * Puts rows in order of time within a bounded window. A row older than what was already given on is *late*: it is given
 * on with the time of the last one, and counted. Equal times keep the order they came in.
 */
export class TimeOrder {
  readonly #buckets = new Map<number, Bucket>();
  readonly #give: (atMs: number, row: number) => void;
  #newestMs = Number.NEGATIVE_INFINITY;
  /** The time of the last one given on; nothing is from before the epoch. */
  #floorMs = 0;
  #oldest = Number.POSITIVE_INFINITY;
  held = 0;
  late = 0;
  /** How much the latest one was moved. */
  lateByMs = 0;

  constructor(give: (atMs: number, row: number) => void) {
    this.#give = give;
  }

  add(atMs: number, row: number): void {
    let placedMs = atMs;
    if (atMs < this.#floorMs) {
      this.late++;
      this.lateByMs = Math.max(this.lateByMs, this.#floorMs - atMs);
      placedMs = this.#floorMs;
    }
    const number = Math.floor(placedMs / BUCKET_MS);
    let bucket = this.#buckets.get(number);
    if (bucket === undefined) {
      bucket = { times: [], rows: [] };
      this.#buckets.set(number, bucket);
      if (number < this.#oldest) this.#oldest = number;
    }
    bucket.times.push(placedMs);
    bucket.rows.push(row);
    if (placedMs > this.#newestMs) this.#newestMs = placedMs;
    this.held++;
    while (this.held > REORDER_WINDOW_REQUESTS) this.giveOldest();
  }

  /** Gives on what nothing on time can precede: no source will bring rows from before `fromMs`, bar the window. */
  settle(fromMs: number = this.#newestMs): void {
    const until = Math.floor((fromMs - REORDER_WINDOW_MS) / BUCKET_MS);
    while (this.#oldest < until) this.giveOldest();
  }

  finish(): void {
    while (this.held > 0) this.giveOldest();
  }

  /** The oldest second of what is held. */
  giveOldest(): void {
    const { times, rows } = this.#buckets.get(this.#oldest)!;
    this.#buckets.delete(this.#oldest);
    this.held -= rows.length;
    if (isOrdered(times)) {
      for (let at = 0; at < rows.length; at++) this.#give(times[at]!, rows[at]!);
      this.#floorMs = times.at(-1)!;
    } else {
      const order = Uint32Array.from(times, (_, index) => index).sort((a, b) => times[a]! - times[b]! || a - b);
      for (const at of order) this.#give(times[at]!, rows[at]!);
      this.#floorMs = times[order.at(-1)!]!;
    }
    this.#oldest = Number.POSITIVE_INFINITY;
    for (const number of this.#buckets.keys()) this.#oldest = Math.min(this.#oldest, number);
  }
}

function isOrdered(times: readonly number[]): boolean {
  for (let at = 1; at < times.length; at++) {
    if (times[at]! < times[at - 1]!) return false;
  }
  return true;
}
