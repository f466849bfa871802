import type { JournalEvent, SecondRow } from '../spi/journal.ts';
import type { BadClass, LoadWindow } from '../spi/load.ts';
import { LazyHistogram } from './lazy-histogram.ts';

type WindowEvent = Extract<JournalEvent, { type: 'load.window' }>;

/** The seconds from t = 0 on, in order; a second's rows added up. Steps only when `step` is named. */
export function secondRows(
  events: readonly WindowEvent[],
  filter: { scenario: string; journey?: string; step?: string; region?: string },
): SecondRow[] {
  const groups = new Map<string, WindowEvent[]>();
  for (const event of events) {
    const { row } = event;
    if (row.fromMs < 0 || row.scenario !== filter.scenario || row.step !== filter.step) continue;
    if (filter.journey !== undefined && row.journey !== filter.journey) continue;
    if (filter.region !== undefined && row.region !== filter.region) continue;
    const key = `${row.fromMs}\n${row.journey}`;
    const group = groups.get(key);
    if (group === undefined) groups.set(key, [event]);
    else group.push(event);
  }
  const rows = [...groups.values()].map(addUp);
  return rows.toSorted((a, b) => a.fromMs - b.fromMs);
}

function addUp(events: readonly WindowEvent[]): SecondRow {
  const rows = events.map((event) => event.row);
  const sum = (pick: (row: LoadWindow) => number): number => rows.reduce((total, row) => total + pick(row), 0);
  const bad = addClasses(rows);
  const { scenario, journey, step, fromMs, toMs } = rows[0]!;
  const firstBadMs = extreme(rows, 'firstBadMs', Math.min);
  const lastBadMs = extreme(rows, 'lastBadMs', Math.max);
  return {
    scenario,
    journey,
    ...(step === undefined ? {} : { step }),
    fromMs,
    toMs,
    scheduled: sum((row) => row.scheduled),
    sent: sum((row) => row.sent),
    droppedCap: sum((row) => row.droppedCap),
    droppedLate: sum((row) => row.droppedLate),
    abandoned: sum((row) => row.abandoned),
    left: sum((row) => row.left ?? 0),
    good: sum((row) => row.good),
    bad,
    badCount: Object.values(bad).reduce((total, count) => total + count, 0),
    excluded: sum((row) => row.excluded),
    ...(firstBadMs === undefined ? {} : { firstBadMs }),
    ...(lastBadMs === undefined ? {} : { lastBadMs }),
    latenessP99Ms: Math.max(...rows.map((row) => row.latenessP99Ms)),
    inFlightMax: Math.max(...rows.map((row) => row.inFlightMax)),
    fromIntended: new LazyHistogram(rows.map((row) => row.fromIntended)),
    service: new LazyHistogram(rows.map((row) => row.service)),
    evidence: events.map((event) => event.seq),
  };
}

function addClasses(rows: readonly LoadWindow[]): Partial<Record<BadClass, number>> {
  const total: Partial<Record<BadClass, number>> = {};
  for (const row of rows) {
    for (const [name, count] of Object.entries(row.bad)) {
      const key = name as BadClass;
      total[key] = (total[key] ?? 0) + count;
    }
  }
  return total;
}

function extreme(
  rows: readonly LoadWindow[],
  key: 'firstBadMs' | 'lastBadMs',
  pick: (...values: number[]) => number,
): number | undefined {
  const values = rows.map((row) => row[key]).filter((value) => value !== undefined);
  return values.length === 0 ? undefined : pick(...values);
}
