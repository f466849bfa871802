import { Mix } from './mix.ts';

/** A longer cycle would be a long text for an engine's script, and no mix that people write needs one. */
const CYCLE_MAX = 10_000;

/**
 * The order in which `Mix` deals journeys, as one cycle of it to be repeated: start i is of journey `cycle[i mod length]`.
 * Exact where the shares are multiples of 1/n for an n up to 10,000 (all with up to two decimals of a percentage are);
 * otherwise they are rounded to whole ten-thousandths.
 */
export function mixCycle(shares: readonly number[]): number[] {
  const exact = lengthOf(shares);
  const length = exact ?? CYCLE_MAX;
  const mix = new Mix(exact === undefined ? wholeParts(shares).map((parts) => parts / CYCLE_MAX) : shares);
  return Array.from({ length }, () => mix.next());
}

function lengthOf(shares: readonly number[]): number | undefined {
  for (let length = 1; length <= CYCLE_MAX; length++) {
    if (shares.every((share) => Math.abs(share * length - Math.round(share * length)) < 1e-9 * length)) return length;
  }
  return undefined;
}

/** Ten-thousandths that sum to ten thousand: those with the largest remainders get what rounding down left over. */
function wholeParts(shares: readonly number[]): number[] {
  const parts = shares.map((share) => Math.floor(share * CYCLE_MAX));
  const over = CYCLE_MAX - parts.reduce((sum, part) => sum + part, 0);
  const byRemainder = shares
    .map((share, index) => ({ index, rest: share * CYCLE_MAX - parts[index]! }))
    .sort((a, b) => b.rest - a.rest);
  for (const { index } of byRemainder.slice(0, over)) parts[index]!++;
  return parts;
}
