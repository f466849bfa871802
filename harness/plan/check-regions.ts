import { formatDuration, formatPercent } from '../core/units.ts';
import type { RegionSpec } from '../spi/plan.ts';
import { executorOf } from './check-rate.ts';
import type { Path } from './document.ts';
import type { RawRegion } from './load-schema.ts';
import type { IssueBook } from './parts.ts';
import type { RawScenario } from './schema.ts';

/** Each pair of a region and a journey is counted for itself, in one of the rows that a scenario has in a second. */
const PAIRS_MAX = 14;
const RTT_MAX_MS = 2000;
/** What the proxy counts bandwidth in. */
const BANDWIDTH_UNIT = 1000;

/** Checks where users are: what a region takes, and that the scenario is one whose starts can be dealt to regions. */
export function checkRegions(raw: RawScenario, journeys: number, path: Path, book: IssueBook): void {
  const { regions } = raw;
  if (regions === undefined) return;
  const at = [...path, 'regions'];
  checkScenario(raw, at, book);
  const named = Object.entries(regions);
  for (const [name, region] of named) checkRegion(region, raw, [...at, name], book);
  checkShares(
    named.map(([, { share }]) => share),
    at,
    book,
  );
  const pairs = named.length * journeys;
  if (pairs > PAIRS_MAX) {
    const message = `${named.length} regions of ${journeys} journeys are ${pairs} pairs to count for themselves`;
    book.add(at, 'VALUE', message, { expected: `at most ${PAIRS_MAX}`, hint: 'split the scenario', at: 'key' });
  }
}

function checkScenario(raw: RawScenario, at: Path, book: IssueBook): void {
  const refuse = (message: string, hint: string): void => book.add(at, 'VALUE', message, { at: 'key', hint });
  if (raw.engine !== 'native') {
    refuse(`\`regions\` belongs to the native engine, and this one is ${raw.engine}`, 'leave `engine` out');
  }
  if (executorOf(raw) === 'replay') {
    refuse('the users of a recording are where they were: a replay has no `regions`', 'leave `regions` out');
  }
  if (raw.http?.version === 2 || raw.http?.proxy !== undefined) {
    refuse('users in regions speak HTTP/1.1, directly', 'leave `http` out');
  }
}

function checkRegion(region: RawRegion, { good }: RawScenario, at: Path, book: IssueBook): void {
  const { rtt, jitter = 0, bandwidth } = region;
  if (!Number.isInteger(rtt) || rtt > RTT_MAX_MS) {
    book.add([...at, 'rtt'], 'VALUE', `a round trip of ${formatDuration(rtt)} cannot be made`, {
      expected: `whole milliseconds up to ${formatDuration(RTT_MAX_MS)}`,
    });
  } else if (rtt >= good.within && good.within > 0) {
    const message = `with a round trip of ${formatDuration(rtt)} no answer comes within ${formatDuration(good.within)}`;
    book.add([...at, 'rtt'], 'VALUE', message, { expected: 'less than `good.within`' });
  }
  if (!Number.isInteger(jitter) || jitter > rtt) {
    const expected = 'whole milliseconds, at most the round trip';
    book.add([...at, 'jitter'], 'VALUE', `a jitter of ${formatDuration(jitter)} cannot be made`, { expected });
  }
  if (bandwidth !== undefined && (bandwidth === 0 || bandwidth % BANDWIDTH_UNIT !== 0)) {
    const expected = 'whole kilobytes a second (8 kbit/s), at least one';
    book.add([...at, 'bandwidth'], 'VALUE', 'such a bandwidth cannot be made', { expected });
  }
}

/** Shares that do not sum to 100 %. */
export function checkShares(shares: readonly number[], path: Path, book: IssueBook): void {
  // Whole units of 1e-10, so that 70% + 20% + 10% is 100% exactly.
  const sum = shares.reduce((total, share) => total + Math.round(share * 1e10), 0);
  if (sum === 1e10) return;
  book.add(path, 'SHARES', `the shares sum to ${formatPercent(sum / 1e10, 8)}`, { expected: '100%' });
}

export function regionsOf(regions: Readonly<Record<string, RawRegion>>): RegionSpec[] {
  return Object.entries(regions).map(([name, { share, rtt, jitter, bandwidth, loss }]) => ({
    name,
    share,
    rttMs: rtt,
    jitterMs: jitter ?? 0,
    bytesPerSecond: bandwidth,
    lossRatio: loss ?? 0,
  }));
}
