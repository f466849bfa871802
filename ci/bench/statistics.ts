/** Of the rounds, paired: one ratio a round, in order. */
export interface RatioSummary {
  rounds: number;
  median: number;
  min: number;
  max: number;
  /** Hodges–Lehmann, of the logarithms. */
  estimate: number;
  /** Distribution-free interval for the estimate (Wilcoxon's signed ranks), and how sure it is; few rounds allow less. */
  low: number;
  high: number;
  confidence: number;
}

const CONFIDENCE = 0.95;

/** How many times as much `ours` is as `theirs`, round by round. Undefined without a round in which both are. */
export function compareRounds(
  ours: readonly (number | undefined)[],
  theirs: readonly (number | undefined)[],
): RatioSummary | undefined {
  const logs: number[] = [];
  for (let round = 0; round < ours.length; round++) {
    const [a, b] = [ours[round], theirs[round]];
    if (a !== undefined && b !== undefined && a > 0 && b > 0) logs.push(Math.log(a / b));
  }
  if (logs.length === 0) return undefined;
  const { estimate, low, high, confidence } = hodgesLehmann(logs);
  return {
    rounds: logs.length,
    median: Math.exp(median(logs)),
    min: Math.exp(Math.min(...logs)),
    max: Math.exp(Math.max(...logs)),
    estimate: Math.exp(estimate),
    low: Math.exp(low),
    high: Math.exp(high),
    confidence,
  };
}

export function median(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b);
  const middle = Math.floor(sorted.length / 2);
  return sorted.length % 2 === 1 ? sorted[middle]! : (sorted[middle - 1]! + sorted[middle]!) / 2;
}

/**
 * The median of all pairwise means (Walsh averages), with the interval that inverts Wilcoxon's signed-rank test: the
 * narrowest of at least 95 %, or all that so few values allow.
 */
export function hodgesLehmann(values: readonly number[]): {
  estimate: number;
  low: number;
  high: number;
  confidence: number;
} {
  const walsh: number[] = [];
  for (let i = 0; i < values.length; i++)
    for (let j = i; j < values.length; j++) walsh.push((values[i]! + values[j]!) / 2);
  walsh.sort((a, b) => a - b);
  const tails = signedRankTails(values.length);
  let cut = 0;
  while (cut + 1 < Math.ceil(walsh.length / 2) && 2 * tails[cut + 1]! <= 1 - CONFIDENCE) cut++;
  return {
    estimate: median(walsh),
    low: walsh[cut]!,
    high: walsh[walsh.length - 1 - cut]!,
    confidence: Math.max(0, 1 - 2 * tails[cut]!),
  };
}

/** P(W ≤ w) of the signed-rank statistic of n values, for each w from 0. */
function signedRankTails(n: number): number[] {
  let ways = [1];
  for (let rank = 1; rank <= n; rank++) {
    const next = new Array<number>(ways.length + rank).fill(0);
    ways.forEach((count, sum) => {
      next[sum]! += count / 2;
      next[sum + rank]! += count / 2;
    });
    ways = next;
  }
  let below = 0;
  return ways.map((share) => {
    below += share;
    return below;
  });
}

/** The value at rank ⌈q·n⌉ of sorted values, as `core/histogram` has it. */
export function quantileOf(sorted: ArrayLike<number>, q: number): number {
  return sorted[Math.max(1, Math.ceil(q * sorted.length)) - 1] ?? 0;
}
