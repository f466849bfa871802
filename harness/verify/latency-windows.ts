import { Histogram } from '../core/histogram.ts';
import { formatCount } from '../core/units.ts';
import type { Finding, Verdict } from '../spi/check.ts';
import type { JournalView, SecondRow } from '../spi/journal.ts';
import { cutShort } from './cut-short.ts';
import type { LatencyParams } from './latency.ts';
import { mergeSeconds } from './lazy-histogram.ts';
import { scopeOf, seconds } from './phrases.ts';
import { waysDoubt } from './regions.ts';
import { starvation } from './starved.ts';
import { rowsWithin, type Windows, windowsOf } from './windowed.ts';

const EVIDENCE_MAX = 12;

/** One quantile of one check, looked for in each window of `over`. */
export interface WindowedQuantile {
  asked: LatencyParams & { over: number };
  name: string;
  q: number;
  limitMs: number;
}

/**
 * A quantile of the journeys' latency in each window of `over`: a census of this run's windows. A quantile is within its
 * limit exactly when that share of journeys is, so that windows are counted and not merged; only the worst is.
 */
export function judgeQuantileWindows(view: JournalView, asking: WindowedQuantile, rows: readonly SecondRow[]): Finding {
  const { asked, name, q, limitMs } = asking;
  const windows = countWindows(view, asking, rows, 'fromIntended');
  const verdict = verdictOf(windows);
  const doubt = starvedDoubt(view, asking, rows, verdict) ?? cutDoubt(view, verdict);
  const { worst } = windows;
  const within = worst === undefined ? [] : rowsWithin(rows, worst);
  const worstMs = worst === undefined ? 0 : mergeSeconds(within, 'fromIntended').quantile(q) / 1000;
  const part = asked.when === 'all' ? '' : ` (${asked.when})`;
  return {
    check: 'latency',
    scope: `${scopeOf(asked)}${part} ${name}, in each ${seconds(asked.over)}`,
    verdict: doubt === undefined ? verdict : 'unknown',
    basis: 'seconds',
    claim: `in each ${seconds(asked.over)} ${name} is at most ${limitMs} ms`,
    measured: { value: worstMs, unit: 'ms' },
    threshold: { value: limitMs, unit: 'ms' },
    sampleCount: windows.count,
    because: [sentence(asking, windows, worstMs), doubt].filter(Boolean).join(' '),
    evidence: within.flatMap((row) => row.evidence).slice(0, EVIDENCE_MAX),
    advisory: false,
  };
}

/** Journeys that are in no histogram (never sent) lie beyond every limit. */
function countWindows(
  view: JournalView,
  { asked, q, limitMs }: WindowedQuantile,
  rows: readonly SecondRow[],
  which: 'fromIntended' | 'service',
): Windows {
  const window = { of: asked.of, when: asked.when, overMs: asked.over, target: q };
  return windowsOf(view, rows, window, (row) => {
    const latencies = new Histogram();
    row[which].addTo(latencies);
    const total = which === 'service' ? latencies.count : Math.max(row.good + row.badCount, latencies.count);
    return { good: latencies.countAtMost(limitMs * 1000), total };
  });
}

function verdictOf(windows: Windows): Verdict {
  if (windows.count === 0) return 'unknown';
  return windows.failing === 0 ? 'pass' : 'fail';
}

function sentence({ asked, name, limitMs }: WindowedQuantile, windows: Windows, worstMs: number): string {
  const { worst, count, failing } = windows;
  const part = asked.when === 'all' ? 'this run' : `the ${asked.when} of this run`;
  if (worst === undefined) return `No window of ${seconds(asked.over)} lies wholly in ${part}: no evidence.`;
  const where = `${seconds(worst.fromMs)} to ${seconds(worst.toMs)}`;
  const measured = `${Number(worstMs.toPrecision(4))} ms (${formatCount(worst.total - worst.good)} of ${formatCount(worst.total)} beyond ${limitMs} ms)`;
  if (failing === 0) {
    return `In each of ${formatCount(count)} windows of ${seconds(asked.over)} ${name} was at most ${limitMs} ms; in the worst, ${where}, ${measured}. A census of this run: it says what happened, not what will.`;
  }
  return `In ${formatCount(failing)} of ${formatCount(count)} windows of ${seconds(asked.over)} ${name} was beyond ${limitMs} ms; in the worst, ${where}, ${measured}.`;
}

/** A starved generator made journeys late; were they within the limit from their real send, it is unknown whose time it was. */
function starvedDoubt(
  view: JournalView,
  asking: WindowedQuantile,
  rows: readonly SecondRow[],
  verdict: Verdict,
): string | undefined {
  if (verdict !== 'fail') return undefined;
  if (!starvation(view, asking.asked.of).starved) return waysDoubt(view, asking.asked.of);
  if (verdictOf(countWindows(view, asking, rows, 'service')) === 'fail') return undefined;
  return 'But the generator was starved, and from the real send to the answer the limit was kept: it is unknown whose time it was.';
}

/** What failed has failed; that all went well tells nothing about windows that never came. */
function cutDoubt(view: JournalView, verdict: Verdict): string | undefined {
  const cut = verdict === 'pass' ? cutShort(view) : undefined;
  return cut === undefined ? undefined : `But the run was cut short (${cut.why}), so it is unknown.`;
}
