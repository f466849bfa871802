import { pathTemplate } from '../path-template.ts';
import { RateCurve } from './rate-columns.ts';
import type { RecordingOrigin, RecordingSummary } from './recording-format.ts';
import type { Recording } from './recording-reader.ts';
import { RequestTotals, TimeTotals } from './recording-totals.ts';
import { SessionTable } from './session-table.ts';
import { TopCounts } from './top-counts.ts';

const MOST_SHOWN = 20;
const MOST_COLUMNS = 60;

/** What a recording holds, from reading all of it. Times are epoch ms. */
export interface Inspection {
  version: number;
  origin: RecordingOrigin;
  bytes: number;
  /** Absent for a whole one; else how many bytes at its end are no whole block. */
  lostBytes?: number;
  requests: number;
  firstMs: number;
  lastMs: number;
  sessions: {
    count: number;
    /** There were too many to count each: a sample's number, scaled. */
    estimated: boolean;
    without: number;
    requests: { p50: number; p99: number; most: number };
    lengthMs: { p50: number; p99: number };
  };
  methods: Record<string, number>;
  statuses: Record<string, number>;
  rate: { meanPerSecond: number; peak: { atMs: number; requests: number }; curve: ReturnType<RateCurve['columns']> };
  mix: { method: string; path: string; requests: number }[];
  topPaths: { path: string; requests: number }[];
  /** Requests whose paths or templates are too many and too rare to be counted apart. */
  uncounted: { mix: number; topPaths: number };
  bodies: { requests: number; bytes: number; answers: number };
  /** What was met on the way in; absent for one that was cut off. */
  imported?: Pick<
    RecordingSummary,
    'malformed' | 'late' | 'lateByMs' | 'spread' | 'bodiesLeftOut' | 'remarks' | 'reorder'
  >;
}

/** Reads all of a recording in constant memory, so damage anywhere in it comes to light. */
export async function inspectRecording(recording: Recording): Promise<Inspection> {
  const totals = new RequestTotals();
  const times = new TimeTotals();
  const sessions = new SessionTable();
  const curve = new RateCurve();
  const mix = new TopCounts();
  const paths = new TopCounts();
  for await (const request of recording.read()) {
    totals.add(request);
    times.add(request.atMs);
    curve.add(request.atMs);
    sessions.add(request.session, request.atMs);
    mix.add(`${request.method} ${pathTemplate(request.path)}`);
    paths.add(request.path.split('?', 1)[0]!);
  }
  const { bodies, bodyBytes, answerBodies, ...mixed } = totals.summary();
  const { requests, firstMs, lastMs, peak } = times.summary();
  return {
    version: recording.version,
    origin: recording.origin,
    bytes: recording.bytes,
    ...(recording.lost === undefined ? {} : { lostBytes: recording.lost.bytes }),
    requests,
    firstMs,
    lastMs,
    sessions: sessionFigures(sessions),
    ...mixed,
    rate: { meanPerSecond: meanRate(requests, firstMs, lastMs), peak, curve: curve.columns(MOST_COLUMNS) },
    mix: mix.top(MOST_SHOWN).map(([key, count]) => {
      const space = key.indexOf(' ');
      return { method: key.slice(0, space), path: key.slice(space + 1), requests: count };
    }),
    topPaths: paths.top(MOST_SHOWN).map(([path, count]) => ({ path, requests: count })),
    uncounted: { mix: mix.givenUp, topPaths: paths.givenUp },
    bodies: { requests: bodies, bytes: bodyBytes, answers: answerBodies },
    ...importedOf(recording.summary),
  };
}

/** n requests have n - 1 gaps between them; one alone has no rate. */
function meanRate(requests: number, firstMs: number, lastMs: number): number {
  return lastMs > firstMs ? ((requests - 1) * 1000) / (lastMs - firstMs) : 0;
}

function sessionFigures(table: SessionTable): Inspection['sessions'] {
  const spans = table.spans();
  const requests = spans.map((span) => span.requests).sort((a, b) => a - b);
  const lengths = spans.map((span) => span.lastMs - span.firstMs).sort((a, b) => a - b);
  return {
    count: table.sessions,
    estimated: table.oneOf > 1,
    without: table.without,
    requests: { p50: quantile(requests, 0.5), p99: quantile(requests, 0.99), most: requests.at(-1) ?? 0 },
    lengthMs: { p50: quantile(lengths, 0.5), p99: quantile(lengths, 0.99) },
  };
}

/** The smallest value that at least this share does not exceed; 0 of none. */
function quantile(sorted: readonly number[], share: number): number {
  return sorted[Math.max(0, Math.ceil(sorted.length * share) - 1)] ?? 0;
}

function importedOf(summary: RecordingSummary | undefined): Pick<Inspection, 'imported'> | Record<string, never> {
  if (summary === undefined) return {};
  const { malformed, late, lateByMs, spread, bodiesLeftOut, remarks, reorder } = summary;
  return { imported: { malformed, late, lateByMs, spread, bodiesLeftOut, remarks, reorder } };
}
