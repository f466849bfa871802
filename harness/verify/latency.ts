import { z } from 'zod';
import { samplesNeeded } from '../core/binomial.ts';
import type { Histogram } from '../core/histogram.ts';
import { formatCount } from '../core/units.ts';
import { durationMs, percentage, zodSchema } from '../core/zod-schema.ts';
import type { Check, Finding } from '../spi/check.ts';
import type { JournalView, SecondRow } from '../spi/journal.ts';
import { cutShort } from './cut-short.ts';
import { judgeQuantileWindows } from './latency-windows.ts';
import { mergeSeconds } from './lazy-histogram.ts';
import { quantileBounds } from './order-statistics.ts';
import { percent, scopeOf } from './phrases.ts';
import { partOf, plannedStarts } from './planned.ts';
import { judgeProportion, type Proportion, proportion, whatWouldSettle } from './proportion.ts';
import { waysDoubt } from './regions.ts';
import { starvation } from './starved.ts';
import { tally } from './tally.ts';
import { inPart, type When, whenParam } from './when.ts';
import { overParam } from './windowed.ts';

const QUANTILES = { p50: 0.5, p90: 0.9, p99: 0.99, p999: 0.999 } as const;
type QuantileName = keyof typeof QUANTILES;
const NAMES = Object.keys(QUANTILES) as QuantileName[];

export type LatencyParams = {
  of: string;
  journey?: string;
  region?: string;
  p50?: number;
  p90?: number;
  p99?: number;
  p999?: number;
  confidence: number;
  when: When;
  /** In each window of so many ms, instead of over the whole. */
  over?: number;
};

const limit = () => durationMs().exactOptional();
const params = z
  .strictObject({
    of: z.string().meta({ description: 'the scenario' }),
    journey: z.string().exactOptional().meta({ description: 'one journey of it; all without' }),
    region: z.string().exactOptional().meta({ description: 'users in one of its regions; all without' }),
    p50: limit(),
    p90: limit(),
    p99: limit(),
    p999: limit(),
    confidence: percentage()
      .refine((value) => value > 0 && value < 1, 'a confidence lies between 0% and 100%')
      .default(0.95),
    when: whenParam(),
    over: overParam(),
  })
  .refine((value) => NAMES.some((name) => value[name] !== undefined), 'needs at least one of p50, p90, p99, p999');

/** Quantiles of the journeys' latency from their scheduled start, judged by exact bounds of their ranks. */
export const latency: Check<LatencyParams> = {
  kind: 'latency',
  summary: 'The journeys of a scenario take at most so long, from their scheduled start, bad ones included.',
  params: zodSchema<LatencyParams>(params),
  // Windows are counted, not sampled: any number of them can pass.
  sampleNeeded: (asked) =>
    asked.over !== undefined
      ? undefined
      : Math.max(...namesOf(asked).map((name) => samplesNeeded(QUANTILES[name], 0, asked.confidence))),
  sampleOf: partOf,
  evaluate(view, asked) {
    const all = view.seconds(partOf(asked));
    const { over } = asked;
    if (over !== undefined) {
      return namesOf(asked).map((name) => {
        const limitMs = asked[name]!;
        return judgeQuantileWindows(view, { asked: { ...asked, over }, name, q: QUANTILES[name], limitMs }, all);
      });
    }
    const rows = inPart(view, all, asked.when);
    const latencies = { all: mergeSeconds(rows, 'fromIntended'), service: mergeSeconds(rows, 'service') };
    return namesOf(asked).map((name) => judge(view, asked, name, rows, latencies));
  },
};

function namesOf(asked: LatencyParams): QuantileName[] {
  return NAMES.filter((name) => asked[name] !== undefined);
}

function judge(
  view: JournalView,
  asked: LatencyParams,
  name: QuantileName,
  rows: readonly SecondRow[],
  latencies: { all: Histogram; service: Histogram },
): Finding {
  const q = QUANTILES[name];
  const limitMs = asked[name]!;
  const counts = tally(rows);
  const share = shareWithin(latencies.all, limitMs, counts.good + counts.bad, asked.confidence);
  const verdict = judgeProportion(share, q);
  const bounds = quantileBounds(latencies.all, q, asked.confidence);
  const doubt = doubtOf(view, asked, q, share, latencies.service, limitMs);
  const valueMs = bounds.value / 1000;
  return {
    check: 'latency',
    scope: `${scopeOf(asked)}${asked.when === 'all' ? '' : ` (${asked.when})`} ${name}`,
    verdict: doubt === undefined ? verdict : 'unknown',
    basis: 'requests',
    claim: `${percent(q)} of journeys take at most ${limitMs} ms from their scheduled start`,
    measured: {
      value: valueMs,
      unit: 'ms',
      ...(bounds.low === undefined ? {} : { low: bounds.low / 1000 }),
      ...(bounds.high === undefined ? {} : { high: bounds.high / 1000 }),
    },
    threshold: { value: limitMs, unit: 'ms' },
    sampleCount: share.total,
    because: [sentence(asked, name, share, valueMs, limitMs), doubt].filter(Boolean).join(' '),
    evidence: slowest(rows),
    advisory: false,
  };
}

/** Journeys that are in no histogram (never sent) lie beyond every limit. */
function shareWithin(histogram: Histogram, limitMs: number, counted: number, confidence: number): Proportion {
  return proportion(histogram.countAtMost(limitMs * 1000), Math.max(counted, histogram.count), confidence);
}

function sentence(
  asked: LatencyParams,
  name: QuantileName,
  share: Proportion,
  valueMs: number,
  limitMs: number,
): string {
  const q = QUANTILES[name];
  if (share.total === 0) return `No journey of ${scopeOf(asked)} was counted (${asked.when}): no evidence.`;
  const ms = Number(valueMs.toPrecision(4));
  const measured = `${name} of ${formatCount(share.total)} journeys is ${ms} ms (${formatCount(share.total - share.good)} took longer than ${limitMs} ms)`;
  const at = `at ${percent(asked.confidence)}`;
  switch (judgeProportion(share, q)) {
    case 'pass':
      return `${measured}: ${at} it is at most ${limitMs} ms for requests like these.`;
    case 'fail':
      return `${measured}: ${at} it is beyond the ${limitMs} ms asked.`;
    case 'unknown':
      return `${measured}: that settles nothing about ${limitMs} ms; ${whatWouldSettle(share, q, asked.confidence)}.`;
  }
}

function doubtOf(
  view: JournalView,
  asked: LatencyParams,
  q: number,
  share: Proportion,
  service: Histogram,
  limitMs: number,
): string | undefined {
  const verdict = judgeProportion(share, q);
  if (verdict === 'unknown') return undefined;
  const alone = shareWithin(service, limitMs, service.count, asked.confidence);
  if (verdict === 'fail' && starvation(view, asked.of).starved && judgeProportion(alone, q) !== 'fail') {
    return 'But the generator was starved, and from the real send to the answer the limit was kept: it is unknown whose time it was.';
  }
  const slowWays = verdict === 'fail' ? waysDoubt(view, asked.of) : undefined;
  if (slowWays !== undefined) return slowWays;
  const cut = cutShort(view);
  if (cut === undefined) return undefined;
  const planned = plannedStarts(view, asked);
  if (planned === undefined) return `But the run was cut short (${cut.why}), so it is unknown.`;
  const total = Math.max(planned, share.total);
  const best = proportion(total - (share.total - share.good), total, asked.confidence);
  if (verdict === 'fail' && judgeProportion(best, q) === 'fail') return undefined;
  return `But the run was cut short (${cut.why}), so it is unknown.`;
}

/** The events of the three seconds with the highest maximum. */
function slowest(rows: readonly SecondRow[]): number[] {
  return rows
    .map((row) => ({ row, max: row.fromIntended.max }))
    .toSorted((a, b) => b.max - a.max)
    .slice(0, 3)
    .flatMap(({ row }) => row.evidence)
    .slice(0, 12);
}
