import type { JournalView } from '../spi/journal.ts';

const SENT_RATIO_MIN = 0.999;
const LATE_WINDOWS_MAX = 0.01;
const LATENESS_FLOOR_MS = 10;
const LATENESS_SHARE = 0.05;

/** How well the generator kept up with one scenario's schedule. */
export interface Starvation {
  starved: boolean;
  scheduled: number;
  /** Without the starts that the full in-flight cap kept back: those are the system's doing. */
  due: number;
  sent: number;
  windows: number;
  lateWindows: number;
  latenessMaxMs: number;
  limitMs: number;
  evidence: number[];
}

/** `LOAD_STARVED`: sent < 99.9 % of scheduled (cap drops apart), or lateness p99 beyond its limit in over 1 % of windows. */
export function starvation(view: JournalView, scenario: string): Starvation {
  const rows = view.seconds({ scenario });
  const sum = (values: number[]): number => values.reduce((total, value) => total + value, 0);
  const scheduled = sum(rows.map((row) => row.scheduled));
  const sent = sum(rows.map((row) => row.sent));
  const due = scheduled - sum(rows.map((row) => row.droppedCap));
  const limitMs = latenessLimitMs(view, scenario);
  const late = rows.filter((row) => row.latenessP99Ms > limitMs);
  const windows = rows.filter((row) => row.scheduled > 0).length;
  return {
    starved: sent < due * SENT_RATIO_MIN || late.length > windows * LATE_WINDOWS_MAX,
    scheduled,
    due,
    sent,
    windows,
    lateWindows: late.length,
    latenessMaxMs: rows.reduce((most, row) => Math.max(most, row.latenessP99Ms), 0),
    limitMs,
    evidence: late.flatMap((row) => row.evidence).slice(0, 12),
  };
}

/** max(10 ms, 5 % of the tightest latency that the plan asks of the scenario). */
function latenessLimitMs(view: JournalView, scenario: string): number {
  const asked = view.timeline.checks
    .filter(({ check, params }) => check === 'latency' && params.of === scenario)
    .flatMap(({ params }) => [params.p50, params.p90, params.p99, params.p999])
    .filter((value) => typeof value === 'number');
  const within = view.timeline.plan.load.find(({ name }) => name === scenario)?.good.withinMs;
  const tightest = Math.min(...asked, within ?? Number.POSITIVE_INFINITY);
  return Number.isFinite(tightest) ? Math.max(LATENESS_FLOOR_MS, LATENESS_SHARE * tightest) : LATENESS_FLOOR_MS;
}

/** The worst second of each measure of the generators' own state, from t = 0 on. */
export interface GeneratorHealth {
  delayMaxMs: number;
  cpuShareMax: number;
  stealShareMax: number | undefined;
  /** Empty where the engine does not say. */
  pacers: string[];
}

/** Undefined where no generator said how it was. */
export function generatorHealth(view: JournalView, scenario: string): GeneratorHealth | undefined {
  const rows = view.of('load.health').flatMap(({ row }) => (row.scenario === scenario && row.atMs >= 0 ? [row] : []));
  if (rows.length === 0) return undefined;
  const steal = rows.flatMap(({ stealShare }) => stealShare ?? []);
  return {
    delayMaxMs: Math.max(...rows.map(({ eventLoopP99Ms }) => eventLoopP99Ms)),
    cpuShareMax: Math.max(...rows.map(({ cpuShare }) => cpuShare)),
    stealShareMax: steal.length === 0 ? undefined : Math.max(...steal),
    pacers: [...new Set(rows.flatMap(({ pacer }) => pacer ?? []))],
  };
}
