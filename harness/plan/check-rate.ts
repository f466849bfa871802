import { resolve } from 'node:path';
import { HarnessError, messageOf } from '../core/errors.ts';
import { curveDuration, type RateSegment } from '../core/rate-curve.ts';
import { csvTable, TableError } from '../core/table.ts';
import { formatDuration } from '../core/units.ts';
import type { ExecutorName } from '../spi/plan.ts';
import type { Catalogue } from './catalogue.ts';
import type { Path } from './document.ts';
import { bytesOf, type LoadWorld } from './load.ts';
import type { RawCurve } from './load-schema.ts';
import type { IssueBook } from './parts.ts';
import { busyHourRate, type CurvePoint, midnightSpike, scaledCurve, soak, spikeInFull } from './presets.ts';
import { EXECUTORS, type RawScenario } from './schema.ts';

/** Beyond it every start would have to look for its place in a long curve. */
const POINTS_MAX = 2000;
const RATE_MAX = 1_000_000;

type TrafficKey = 'rate' | 'users' | 'vus' | 'for' | 'stages' | 'curve' | 'recording' | 'speed' | 'sessions' | 'sign';

/** What each executor is told its traffic by: exactly one of `by`, and what may go with it. */
const SHAPES: Readonly<Record<ExecutorName, { by: readonly TrafficKey[]; with: readonly TrafficKey[] }>> = {
  'constant-arrival-rate': { by: ['rate', 'users'], with: ['for'] },
  'ramping-arrival-rate': { by: ['stages', 'curve'], with: [] },
  poisson: { by: ['rate', 'users', 'stages', 'curve'], with: ['for'] },
  'constant-vus': { by: ['vus'], with: ['for'] },
  'ramping-vus': { by: ['stages'], with: [] },
  replay: { by: ['recording'], with: ['speed', 'sessions', 'sign'] },
};
/** Keys of a scenario that say how much traffic there is, and for how long. */
export const TRAFFIC_KEYS: readonly TrafficKey[] = [
  'rate',
  'users',
  'vus',
  'for',
  'stages',
  'curve',
  'recording',
  'speed',
  'sessions',
  'sign',
];

/** Whether the scenario is users who wait for answers, so that nobody knows beforehand how many journeys they start. */
export function isClosed(executor: ExecutorName): boolean {
  return executor === 'constant-vus' || executor === 'ramping-vus';
}

/** The executor that was named, or the one that the given keys fit. */
export function executorOf(raw: RawScenario): ExecutorName {
  if (raw.executor !== undefined) return raw.executor;
  if (raw.recording !== undefined) return 'replay';
  if (raw.vus !== undefined) return 'constant-vus';
  if (raw.stages?.some((stage) => 'to' in stage && stage.to.kind === 'users')) return 'ramping-vus';
  return raw.stages !== undefined || raw.curve !== undefined ? 'ramping-arrival-rate' : 'constant-arrival-rate';
}

/** Where the files that a plan names lie, and how they are read. */
export interface PlanFiles {
  folder: string;
  world: LoadWorld;
  recording: Catalogue['recording'];
  /** Length of the steady-state window. */
  steadyMs: number;
}

/** What a scenario's traffic amounts to: its own pieces, or a rate for as long as the load lasts. */
export type Traffic = { segments: RateSegment[] } | { steady: number };

/** Checks how much traffic a scenario asks for. Undefined where that is wrong or cannot be run. */
export function checkRate(raw: RawScenario, path: Path, files: PlanFiles, book: IssueBook): Traffic | undefined {
  const before = book.issues.length;
  const executor = executorOf(raw);
  checkKeys(raw, executor, path, book);
  if (book.issues.length > before) return undefined;
  if (executor === 'replay') return replayOf(raw, path, files, book);
  checkUnits(raw, executor, path, book);
  const traffic = book.issues.length > before ? undefined : trafficOf(raw, path, files, book);
  if (traffic === undefined) return undefined;
  checkAmount(raw, executor, traffic, path, book);
  return book.issues.length > before ? undefined : traffic;
}

function checkKeys(raw: RawScenario, executor: ExecutorName, path: Path, book: IssueBook): void {
  const shape = SHAPES[executor];
  const legal = [...shape.by, ...shape.with];
  for (const key of TRAFFIC_KEYS) {
    if (raw[key] === undefined || legal.includes(key)) continue;
    const owners = EXECUTORS.filter((name) => [...SHAPES[name].by, ...SHAPES[name].with].includes(key));
    book.add([...path, key], 'VALUE', `\`${key}\` belongs to ${inWords(owners)}, not to ${executor}`, { at: 'key' });
  }
  const given = shape.by.filter((key) => raw[key] !== undefined);
  if (given.length === 0) {
    const needs = shape.by.map((key) => `\`${key}\``).join(' or ');
    book.add([...path, shape.by[0]!], 'VALUE', `${executor} needs ${needs}`);
  }
  for (const key of given.slice(1)) {
    book.add([...path, key], 'VALUE', `\`${key}\` and \`${given[0]}\` both say how much traffic there is`, {
      at: 'key',
    });
  }
  if (raw.for !== undefined && executor === 'poisson' && (raw.stages ?? raw.curve) !== undefined) {
    book.add([...path, 'for'], 'VALUE', '`for` goes with a rate: stages and curves have a length of their own', {
      at: 'key',
    });
  }
}

/**
 * A replay's mean rate, from t = 0 on: what comes before, warm-up and steady state, is the recording's own beginning.
 */
function replayOf(raw: RawScenario, path: Path, files: PlanFiles, book: IssueBook): Traffic | undefined {
  const at = [...path, 'recording'];
  const file = resolve(files.folder, raw.recording!);
  let summary: ReturnType<Catalogue['recording']>;
  try {
    summary = files.recording(file);
  } catch (thrown) {
    const hint = thrown instanceof HarnessError ? { hint: thrown.hint } : {};
    book.add(at, 'FILE_UNREADABLE', messageOf(thrown), hint);
    return undefined;
  }
  const speed = raw.speed ?? 1;
  const spanMs = (summary.lastMs - summary.firstMs) / speed;
  const beforeMs = (raw.warmUp ?? 0) + files.steadyMs;
  const durationMs = Math.ceil(spanMs - beforeMs);
  if (durationMs < 1000) {
    const message = `at ${speed} times its speed the recording lasts ${formatDuration(spanMs)}, and warm-up and steady state take ${formatDuration(beforeMs)} of it`;
    book.add(at, 'VALUE', message, { hint: 'a longer recording, a lower `speed`, or a shorter `warmUp`' });
    return undefined;
  }
  const rate = (summary.requests * (raw.sessions ?? 1)) / (spanMs / 1000);
  return { segments: [{ fromRate: rate, toRate: rate, durationMs }] };
}

/** Stages climb in starts per second or in users; which one the executor takes. */
function checkUnits(raw: RawScenario, executor: ExecutorName, path: Path, book: IssueBook): void {
  raw.stages?.forEach((stage, index) => {
    if (!('to' in stage)) return;
    const at = [...path, 'stages', index, 'to'];
    if (isClosed(executor) && stage.to.kind === 'rate') {
      book.add(at, 'VALUE', `${executor} climbs to a number of users`, { expected: 'a whole number, as in 64' });
    } else if (!isClosed(executor) && stage.to.kind === 'users') {
      const message = 'expected a rate with its unit (/s, /m, /h), as in 250/s or 2k/s: a number alone has no unit';
      book.add(at, 'VALUE', message);
    }
  });
}

function trafficOf(raw: RawScenario, path: Path, files: PlanFiles, book: IssueBook): Traffic | undefined {
  if (raw.stages !== undefined) return { segments: stagesOf(raw.stages) };
  if (raw.curve !== undefined) return curveOf(raw.curve, [...path, 'curve'], files, book);
  const steady = raw.rate ?? raw.vus ?? busyHourRate(raw.users!);
  return raw.for === undefined ? { steady } : { segments: [{ fromRate: steady, toRate: steady, durationMs: raw.for }] };
}

function stagesOf(stages: NonNullable<RawScenario['stages']>): RateSegment[] {
  let rate = 0;
  return stages.map((stage) => {
    const fromRate = rate;
    if ('to' in stage) rate = stage.to.value;
    return { fromRate, toRate: rate, durationMs: 'to' in stage ? stage.over : stage.hold };
  });
}

function curveOf(curve: RawCurve, path: Path, files: PlanFiles, book: IssueBook): Traffic | undefined {
  if (curve.preset === 'soak') {
    if (curve.rise !== undefined && curve.rise > curve.for) tooLong(['rise'], path, book);
    return { segments: soak({ rate: curve.rate, forMs: curve.for, riseMs: curve.rise }) };
  }
  if (curve.preset === 'sale-6.5x') {
    const points = recordedCurve(curve.recorded, [...path, 'recorded'], files, book);
    return points === undefined ? undefined : { segments: scaledCurve(points, curve.factor, curve.for) };
  }
  const { base, peak, for: forMs, before: beforeMs, rise: riseMs, hold: holdMs, halfLife: halfLifeMs, settle } = curve;
  const spike = { base, peak, forMs, beforeMs, riseMs, holdMs, halfLifeMs, settle };
  const full = spikeInFull(spike);
  if (full.beforeMs + full.riseMs + full.holdMs > forMs) tooLong(['before', 'rise', 'hold'], path, book);
  if (peak <= base) book.add([...path, 'peak'], 'VALUE', 'a peak is above the base rate');
  if (halfLifeMs === 0) book.add([...path, 'halfLife'], 'VALUE', 'nothing halves in no time at all');
  return { segments: midnightSpike(spike) };
}

function tooLong(keys: readonly string[], path: Path, book: IssueBook): void {
  book.add([...path, 'for'], 'VALUE', `${inWords(keys.map((key) => `\`${key}\``))} are longer than the curve`);
}

const CLOCK = /^(\d{1,2}):(\d{2})(?::(\d{2}(?:\.\d+)?))?$/;

/** Reads a recorded day's curve: a CSV file with the columns time and rate. */
function recordedCurve(named: string, path: Path, files: PlanFiles, book: IssueBook): CurvePoint[] | undefined {
  const wrong = (message: string, expected?: string): undefined => {
    book.add(path, 'VALUE', `${named}: ${message}`, { expected });
  };
  const table = readTable(named, path, files, book);
  if (table === undefined) return undefined;
  const [time, rate] = ['time', 'rate'].map((column) => table.columns.indexOf(column)) as [number, number];
  if (time < 0 || rate < 0) return wrong('a curve has the columns time and rate', 'time and rate in the header');
  if (table.count < 2) return wrong('a curve has at least two points');
  if (table.count > POINTS_MAX) {
    return wrong(`a curve of ${table.count} points; at most ${POINTS_MAX} are read`, 'a point a minute is 1,440 a day');
  }
  const points: CurvePoint[] = [];
  for (let index = 0; index < table.count; index++) {
    const row = table.row(index);
    const point = { atS: secondsOf(String(row[time])), rate: numberOf(String(row[rate])) };
    if (Number.isNaN(point.atS)) return wrong(`point ${index + 1} has the time "${row[time]}"`, 'seconds, or hh:mm:ss');
    if (Number.isNaN(point.rate)) return wrong(`point ${index + 1} has the rate "${row[rate]}"`, 'starts per second');
    const before = points.at(-1);
    if (before !== undefined && point.atS <= before.atS)
      return wrong(`point ${index + 1} is not later than the one before`);
    points.push(point);
  }
  return points;
}

/** A CSV file that the plan names; issues where there is none, or none that can be read. */
function readTable(named: string, path: Path, { folder, world }: PlanFiles, book: IssueBook) {
  const file = resolve(folder, named);
  if (!world.exists(file)) {
    book.add(path, 'FILE_UNREADABLE', `there is no file ${named}`);
    return undefined;
  }
  try {
    return csvTable(bytesOf(world, file));
  } catch (thrown) {
    const message = thrown instanceof TableError ? `line ${thrown.line}: ${thrown.message}` : messageOf(thrown);
    book.add(path, 'FILE_UNREADABLE', `${named}: ${message}`);
    return undefined;
  }
}

function secondsOf(text: string): number {
  const clock = CLOCK.exec(text.trim());
  if (clock === null) return numberOf(text);
  return Number(clock[1]) * 3600 + Number(clock[2]) * 60 + Number(clock[3] ?? 0);
}

const numberOf = (text: string): number => (/^\d+(\.\d+)?$/.test(text.trim()) ? Number(text) : Number.NaN);

function checkAmount(raw: RawScenario, executor: ExecutorName, traffic: Traffic, path: Path, book: IssueBook): void {
  const key = SHAPES[executor].by.find((candidate) => raw[candidate] !== undefined)!;
  const rates =
    'steady' in traffic ? [traffic.steady] : traffic.segments.flatMap(({ fromRate, toRate }) => [fromRate, toRate]);
  if (!rates.some((rate) => rate > 0)) {
    const what = isClosed(executor) ? 'at least one user' : 'a rate above 0';
    const expected = `${what}, which the warm-up runs at too`;
    book.add([...path, key], 'VALUE', 'this scenario never starts a journey', { expected });
  }
  if (!isClosed(executor) && rates.some((rate) => rate > RATE_MAX)) {
    book.add([...path, key], 'VALUE', 'no generator reaches that rate');
  }
  if ('segments' in traffic && curveDuration(traffic.segments) === 0) {
    book.add([...path, raw.for === undefined ? key : 'for'], 'VALUE', 'this scenario lasts no time at all');
  }
}

function inWords(parts: readonly string[]): string {
  return parts.length < 2 ? parts.join('') : `${parts.slice(0, -1).join(', ')} and ${parts.at(-1)!}`;
}
