const MOST_BUCKETS = 4096;
const SECOND_MS = 1000;
const BARS = '▁▂▃▄▅▆▇█';

/** Requests per stretch of time, in bounded memory: seconds at first, twice as long whenever there are too many. */
export class RateCurve {
  #counts: number[] = [];
  #firstMs = 0;
  bucketMs = SECOND_MS;

  /** In order of time. */
  add(atMs: number): void {
    if (this.#counts.length === 0) this.#firstMs = Math.floor(atMs / SECOND_MS) * SECOND_MS;
    let bucket = Math.floor((atMs - this.#firstMs) / this.bucketMs);
    while (bucket >= MOST_BUCKETS) {
      this.#halve();
      bucket = Math.floor((atMs - this.#firstMs) / this.bucketMs);
    }
    while (this.#counts.length <= bucket) this.#counts.push(0);
    this.#counts[bucket]!++;
  }

  /** At most `most` columns of equal length, each its mean rate per second. */
  columns(most: number): { columnMs: number; firstMs: number; rates: number[] } {
    const each = Math.max(1, Math.ceil(this.#counts.length / most));
    const columnMs = each * this.bucketMs;
    const rates: number[] = [];
    for (let at = 0; at < this.#counts.length; at += each) {
      const count = this.#counts.slice(at, at + each).reduce((sum, one) => sum + one, 0);
      rates.push((count * SECOND_MS) / columnMs);
    }
    return { columnMs, firstMs: this.#firstMs, rates };
  }

  #halve(): void {
    const pairs = Math.ceil(this.#counts.length / 2);
    this.#counts = Array.from({ length: pairs }, (_, at) => this.#counts[2 * at]! + (this.#counts[2 * at + 1] ?? 0));
    this.bucketMs *= 2;
  }
}

/** Rates as bars of eight heights; nothing at all is a space. */
export function sparkline(rates: readonly number[]): string {
  const highest = Math.max(...rates, 0);
  return rates
    .map((rate) => (rate === 0 ? ' ' : BARS[Math.min(BARS.length - 1, Math.floor((rate / highest) * BARS.length))]!))
    .join('');
}
