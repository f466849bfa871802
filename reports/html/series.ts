import { Histogram } from '../../harness/core/histogram.ts';
import type { JournalView, SecondRow } from '../../harness/spi/journal.ts';

/** More points than this are not seen on a screen; longer runs are drawn in buckets of several seconds. */
const POINTS_MAX = 600;

export interface Point {
  fromMs: number;
  toMs: number;
  /** Journeys per second, by intended start. */
  good: number;
  bad: number;
  notSent: number;
  p50Ms: number | undefined;
  p99Ms: number | undefined;
}

/** One scenario over time, all its journeys together. */
export interface Series {
  scenario: string;
  points: Point[];
  bucketMs: number;
  deadlineMs: number | undefined;
}

export function seriesOf(view: JournalView): Series[] {
  return view.timeline.scenarios.map(({ name }) => {
    const rows = view.seconds({ scenario: name });
    const endMs = rows.at(-1)?.toMs ?? 0;
    const bucketMs = 1000 * Math.max(1, Math.ceil(endMs / 1000 / POINTS_MAX));
    const buckets = new Map<number, SecondRow[]>();
    for (const row of rows) {
      const key = Math.floor(row.fromMs / bucketMs);
      const members = buckets.get(key);
      if (members === undefined) buckets.set(key, [row]);
      else members.push(row);
    }
    const scratch = new Histogram();
    const points = [...buckets].map(([key, members]) => pointOf(key * bucketMs, bucketMs, members, scratch));
    const deadlineMs = view.timeline.plan.load.find((scenario) => scenario.name === name)?.good.withinMs;
    return { scenario: name, points, bucketMs, deadlineMs };
  });
}

function pointOf(fromMs: number, bucketMs: number, rows: readonly SecondRow[], scratch: Histogram): Point {
  const perSecond = (pick: (row: SecondRow) => number): number =>
    (rows.reduce((sum, row) => sum + pick(row), 0) * 1000) / bucketMs;
  scratch.clear();
  for (const row of rows) row.fromIntended.addTo(scratch);
  const at = (q: number): number | undefined => (scratch.count === 0 ? undefined : scratch.quantile(q) / 1000);
  return {
    fromMs,
    toMs: fromMs + bucketMs,
    good: perSecond((row) => row.good),
    bad: perSecond((row) => row.badCount),
    notSent: perSecond((row) => row.droppedLate),
    p50Ms: at(0.5),
    p99Ms: at(0.99),
  };
}
