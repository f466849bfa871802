import { durationMs } from '../core/zod-schema.ts';
import type { JournalView, SecondRow } from '../spi/journal.ts';
import { classifier, type When } from './when.ts';

const SECOND_MS = 1000;

/** `over`: the check holds in each window of that length, wherever in the run it begins. */
export const overParam = () =>
  durationMs()
    .refine((ms) => ms >= SECOND_MS && ms % SECOND_MS === 0, 'a window is a whole number of seconds, at least 1s')
    .exactOptional()
    .meta({ description: 'in each window of this length, instead of over all of it' });

/** Good ones of a stretch of time; `toMs` is its end. */
export interface WindowShare {
  fromMs: number;
  toMs: number;
  good: number;
  total: number;
}

/** Every window of one length that a part of a run holds. */
export interface Windows {
  /** Windows that had something to count. */
  count: number;
  /** Of those, the ones whose share of good is below the target. */
  failing: number;
  /** The one with the lowest share; the longest of those that are equally bad. */
  worst: WindowShare | undefined;
}

/**
 * All windows of `overMs` in one part of the run, each beginning at a full second and lying wholly in that part, so that
 * neighbours overlap and nothing hides on a border. Each second is counted by `of`.
 */
export function windowsOf(
  view: JournalView,
  rows: readonly SecondRow[],
  asked: { of: string; when: When; overMs: number; target: number },
  of: (row: SecondRow) => { good: number; total: number },
): Windows {
  const seconds = secondsOf(view, rows, asked, of);
  const length = asked.overMs / SECOND_MS;
  const result: Windows = { count: 0, failing: 0, worst: undefined };
  let good = 0;
  let total = 0;
  let inPart = 0;
  for (const [index, second] of seconds.entries()) {
    good += second.good;
    total += second.total;
    inPart += second.inPart ? 1 : 0;
    const left = seconds[index - length];
    if (left !== undefined) {
      good -= left.good;
      total -= left.total;
      inPart -= left.inPart ? 1 : 0;
    }
    if (inPart < length || total === 0) continue;
    result.count++;
    if (good / total < asked.target) result.failing++;
    const toMs = (index + 1) * SECOND_MS;
    const { worst } = result;
    // Cross-multiplied: equal shares are equal, whatever their size.
    const lower = worst === undefined ? -1 : good * worst.total - worst.good * total;
    if (worst === undefined || lower < 0 || (lower === 0 && total > worst.total)) {
      result.worst = { fromMs: toMs - asked.overMs, toMs, good, total };
    }
  }
  return result;
}

/** Second by second from t = 0 to the last one that was counted, with whether it lies in the part that is asked for. */
function secondsOf(
  view: JournalView,
  rows: readonly SecondRow[],
  { of: scenario, when }: { of: string; when: When },
  of: (row: SecondRow) => { good: number; total: number },
): { good: number; total: number; inPart: boolean }[] {
  const classify = when === 'all' ? undefined : classifier(view, scenario);
  const length = rows.reduce((most, row) => Math.max(most, row.toMs / SECOND_MS), 0);
  const seconds = Array.from({ length }, (_, index) => ({
    good: 0,
    total: 0,
    inPart: classify === undefined || classify(index * SECOND_MS) === when,
  }));
  for (const row of rows) {
    const second = seconds[row.fromMs / SECOND_MS]!;
    const { good, total } = of(row);
    second.good += good;
    second.total += total;
  }
  return seconds;
}

/** The rows of one window. */
export function rowsWithin(rows: readonly SecondRow[], { fromMs, toMs }: WindowShare): SecondRow[] {
  return rows.filter((row) => row.fromMs >= fromMs && row.fromMs < toMs);
}
