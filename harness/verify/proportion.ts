import { lowerBound, samplesNeeded, upperBound } from '../core/binomial.ts';
import { formatCount } from '../core/units.ts';
import type { Verdict } from '../spi/check.ts';

/** Beyond this a "fresh run" is no advice any more. */
const ADVICE_MAX = 1e9;

/** A share of a sample with its one-sided exact bounds. */
export interface Proportion {
  good: number;
  total: number;
  ratio: number;
  low: number;
  high: number;
}

export function proportion(good: number, total: number, confidence: number): Proportion {
  return {
    good,
    total,
    ratio: total === 0 ? 0 : good / total,
    low: lowerBound(good, total, confidence),
    high: upperBound(good, total, confidence),
  };
}

/** Pass when the lower bound reaches the target, fail when the upper one does not, else unknown. */
export function judgeProportion(share: Proportion, target: number): Verdict {
  if (share.total === 0) return 'unknown';
  if (share.low >= target) return 'pass';
  return share.high < target ? 'fail' : 'unknown';
}

/** What would settle an unknown: the size of a fresh run, judged alone, if it behaves as this one did. */
export function whatWouldSettle(share: Proportion, target: number, confidence: number): string {
  const bad = share.total - share.good;
  if (share.total > 0 && share.ratio < target) return sizeToFail(share, target, confidence);
  const badRatio = share.total === 0 ? 0 : bad / share.total;
  for (let allowed = bad; allowed < 1e6; allowed = Math.ceil(allowed * 1.1 + 1)) {
    const size = samplesNeeded(target, allowed, confidence);
    if (size > ADVICE_MAX) break;
    if (size * badRatio > allowed) continue;
    return `a fresh run of ${formatCount(size)} with at most ${formatCount(allowed)} bad would settle it`;
  }
  return 'so near to the target no run of a sensible size would settle it';
}

function sizeToFail(share: Proportion, target: number, confidence: number): string {
  const badRatio = 1 - share.ratio;
  for (let size = share.total; size < ADVICE_MAX; size = Math.ceil(size * 1.1)) {
    const good = size - Math.ceil(size * badRatio);
    if (upperBound(good, size, confidence) >= target) continue;
    return `it lies below the target, and a fresh run of ${formatCount(size)} that goes the same way would prove that`;
  }
  return 'so near to the target no run of a sensible size would settle it';
}
