import { cdf } from '../core/binomial.ts';
import type { Histogram } from '../core/histogram.ts';

/** A quantile of a sample with distribution-free one-sided bounds, in the histogram's unit; undefined: too few samples. */
export interface QuantileBounds {
  value: number;
  low: number | undefined;
  high: number | undefined;
}

/**
 * The number of samples below the true quantile is binomial(n, q), whatever the distribution: the bounds are the values
 * at the ranks where that binomial's tails leave 1 − confidence.
 */
export function quantileBounds(histogram: Histogram, q: number, confidence: number): QuantileBounds {
  const n = histogram.count;
  const atRank = (rank: number): number => histogram.quantile((rank - 0.5) / n);
  const highRank = firstRank(n, (rank) => cdf(rank - 1, n, q) >= confidence);
  const aboveLow = firstRank(n, (rank) => cdf(rank - 1, n, q) > 1 - confidence);
  return {
    value: histogram.quantile(q),
    low: aboveLow <= 1 ? undefined : atRank(aboveLow - 1),
    high: highRank > n ? undefined : atRank(highRank),
  };
}

/** Smallest rank in 1 … n that passes a monotone test; n + 1 when none does. */
function firstRank(n: number, passes: (rank: number) => boolean): number {
  let low = 0;
  let high = n + 1;
  while (high - low > 1) {
    const middle = Math.floor((low + high) / 2);
    if (passes(middle)) high = middle;
    else low = middle;
  }
  return high;
}
