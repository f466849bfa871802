import { formatCount } from '../core/units.ts';
import type { Finding, Verdict } from '../spi/check.ts';
import type { JournalView, SecondRow } from '../spi/journal.ts';
import type { AvailabilityParams } from './availability.ts';
import { cutShort } from './cut-short.ts';
import { percent, percentDown, scopeOf, seconds } from './phrases.ts';
import { waysDoubt } from './regions.ts';
import { rowsWithin, type Windows, windowsOf } from './windowed.ts';

const EVIDENCE_MAX = 12;

/**
 * The share of good journeys in each window of `over`: a census of this run's windows, judged by what happened in them
 * and not by what it proves about others.
 */
export function judgeWindows(
  view: JournalView,
  asked: AvailabilityParams & { over: number },
  rows: readonly SecondRow[],
): Finding {
  const window = { of: asked.of, when: asked.when, overMs: asked.over, target: asked.target };
  const windows = windowsOf(view, rows, window, ({ good, badCount }) => ({ good, total: good + badCount }));
  const verdict = verdictOf(windows);
  const slowWays = verdict === 'fail' ? waysDoubt(view, asked.of) : undefined;
  const doubt = lateDoubt(view, asked, rows, verdict) ?? slowWays ?? cutDoubt(view, verdict);
  const { worst } = windows;
  const part = asked.when === 'all' ? '' : ` (${asked.when})`;
  return {
    check: 'availability',
    scope: `${scopeOf(asked)}${part}, in each ${seconds(asked.over)}`,
    verdict: doubt === undefined ? verdict : 'unknown',
    basis: 'seconds',
    claim: `in each ${seconds(asked.over)} at least ${percent(asked.target)} of journeys are good`,
    measured: { value: worst === undefined ? 0 : worst.good / worst.total, unit: 'ratio' },
    threshold: { value: asked.target, unit: 'ratio' },
    sampleCount: windows.count,
    because: [sentence(asked, windows), doubt].filter(Boolean).join(' '),
    evidence: worst === undefined ? [] : evidenceOf(rowsWithin(rows, worst)),
    advisory: false,
  };
}

function verdictOf(windows: Windows): Verdict {
  if (windows.count === 0) return 'unknown';
  return windows.failing === 0 ? 'pass' : 'fail';
}

function sentence(asked: AvailabilityParams & { over: number }, windows: Windows): string {
  const { worst, count, failing } = windows;
  const part = asked.when === 'all' ? 'this run' : `the ${asked.when} of this run`;
  if (worst === undefined) return `No window of ${seconds(asked.over)} lies wholly in ${part}: no evidence.`;
  const where = `${seconds(worst.fromMs)} to ${seconds(worst.toMs)}`;
  const counted = `${formatCount(worst.good)} of ${formatCount(worst.total)} good (${percentDown(worst.good / worst.total)})`;
  if (failing === 0) {
    return `In each of ${formatCount(count)} windows of ${seconds(asked.over)} at least ${percent(asked.target)} of journeys were good; the worst, ${where}, had ${counted}. A census of this run: it says what happened, not what will.`;
  }
  return `In ${formatCount(failing)} of ${formatCount(count)} windows of ${seconds(asked.over)} fewer than ${percent(asked.target)} of journeys were good; the worst, ${where}, had ${counted}.`;
}

/** Starts that the generator was too late for: judged again as if they were bad. */
function lateDoubt(
  view: JournalView,
  asked: AvailabilityParams & { over: number },
  rows: readonly SecondRow[],
  verdict: Verdict,
): string | undefined {
  if (rows.every(({ droppedLate }) => droppedLate === 0)) return undefined;
  const window = { of: asked.of, when: asked.when, overMs: asked.over, target: asked.target };
  const worse = windowsOf(view, rows, window, ({ good, badCount, droppedLate }) => ({
    good,
    total: good + badCount + droppedLate,
  }));
  if (verdictOf(worse) === verdict) return undefined;
  return `With the starts that the generator was too late for the verdict would be ${verdictOf(worse)}, so it is unknown.`;
}

/** What failed has failed; that all went well tells nothing about windows that never came. */
function cutDoubt(view: JournalView, verdict: Verdict): string | undefined {
  const cut = verdict === 'pass' ? cutShort(view) : undefined;
  return cut === undefined ? undefined : `But the run was cut short (${cut.why}), so it is unknown.`;
}

function evidenceOf(rows: readonly SecondRow[]): number[] {
  const bad = rows.filter((row) => row.badCount > 0);
  return (bad.length > 0 ? bad : rows).flatMap((row) => row.evidence).slice(0, EVIDENCE_MAX);
}
