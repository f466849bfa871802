import { HarnessError, messageOf } from '../core/errors.ts';
import { Histogram } from '../core/histogram.ts';
import type { Histogramish } from '../spi/journal.ts';

/**
 * Rows' encoded histograms, decoded and merged only when asked and then let go: a long journal holds tens of thousands,
 * and each decoded one weighs 16 KB.
 */
export class LazyHistogram implements Histogramish {
  readonly #encoded: readonly string[];

  constructor(encoded: readonly string[]) {
    this.#encoded = encoded;
  }

  get count(): number {
    return this.#merged().count;
  }

  get max(): number {
    return this.#merged().max;
  }

  quantile(q: number): number {
    return this.#merged().quantile(q);
  }

  addTo(target: Histogram): void {
    for (const text of this.#encoded) mergeText(target, text);
  }

  #merged(): Histogram {
    const merged = new Histogram();
    this.addTo(merged);
    return merged;
  }
}

function mergeText(target: Histogram, text: string): void {
  try {
    target.mergeEncoded(text);
  } catch (thrown) {
    const hint = 'It was written by another version of Seawall, or changed since.';
    throw new HarnessError('JOURNAL_BROKEN', `a histogram in the journal cannot be read: ${messageOf(thrown)}`, hint);
  }
}

/** One histogram of many seconds, in µs: from the intended starts, or from the real sends. */
export function mergeSeconds(
  rows: readonly { fromIntended: Histogramish; service: Histogramish }[],
  which: 'fromIntended' | 'service',
): Histogram {
  const merged = new Histogram();
  for (const row of rows) row[which].addTo(merged);
  return merged;
}
