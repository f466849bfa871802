import type { SecondRow } from '../spi/journal.ts';

/** Journeys of some seconds, added up. */
export interface Tally {
  good: number;
  bad: number;
  excluded: number;
  droppedCap: number;
  droppedLate: number;
  /** The events of the seconds with something bad, at most a few. */
  evidence: number[];
}

const EVIDENCE_MAX = 12;

/** Adds up journey rows; evidence is the bad seconds', or the first and last when all is good. */
export function tally(rows: readonly SecondRow[]): Tally {
  const sum = (pick: (row: SecondRow) => number): number => rows.reduce((total, row) => total + pick(row), 0);
  const bad = rows.filter((row) => row.badCount > 0);
  const shown = bad.length > 0 ? bad : rows.filter((_row, index) => index === 0 || index === rows.length - 1);
  return {
    good: sum((row) => row.good),
    bad: sum((row) => row.badCount),
    excluded: sum((row) => row.excluded),
    droppedCap: sum((row) => row.droppedCap),
    droppedLate: sum((row) => row.droppedLate),
    evidence: shown.flatMap((row) => row.evidence).slice(0, EVIDENCE_MAX),
  };
}

/** Good and bad seconds: one is good when every journey intended in it was, whatever the journey. */
export function tallySeconds(rows: readonly SecondRow[]): { good: number; total: number } {
  const seconds = new Map<number, boolean>();
  for (const row of rows) {
    if (row.good + row.badCount === 0) continue;
    seconds.set(row.fromMs, (seconds.get(row.fromMs) ?? true) && row.badCount === 0);
  }
  return { good: [...seconds.values()].filter(Boolean).length, total: seconds.size };
}
