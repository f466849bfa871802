import type { ClosedResult } from './closed.ts';
import type { MemoryResult } from './memory.ts';
import { IN_FLIGHT_MAX, type OpenResult } from './open.ts';
import type { Part } from './options.ts';
import type { MissingPeer, ToolName } from './peers.ts';
import { compareRounds, median, type RatioSummary } from './statistics.ts';
import type { TruthResult } from './truth.ts';

export interface Results {
  closed?: ClosedResult;
  open?: OpenResult;
  truth?: TruthResult;
  memory?: MemoryResult;
  /** Parts that were begun and did not come to an end, with why. */
  broken: { part: Part; because: string }[];
}

export interface TargetVerdict {
  target: string;
  verdict: 'met' | 'missed' | 'not measured';
  measured: string;
  /** The interval of the rounds spans the target: further rounds could turn the verdict. */
  close: boolean;
}

type Measure = 'cpu' | 'throughput';

const CPU_AT_MOST: readonly [ToolName, number][] = [
  ['autocannon', 0.7],
  ['vegeta', 0.45],
  ['k6', 0.22],
  ['wrk', 1.4],
];
const THROUGHPUT_AT_LEAST: readonly [ToolName, number][] = [
  ['wrk', 0.75],
  ['k6', 4],
  ['vegeta', 2],
  ['autocannon', 1.3],
];
/** A tool that did not have its core has no throughput; its CPU a request is its own all the same. */
const DISTURBED_MAX = 0.1;
const OPEN_RATE = 30_000;
const SENT_MIN = 0.999;
const LATENESS_MS = 3;
const MEMORY_REQUESTS = 10_000_000;
const MEMORY_BYTES = 200e6;
const GROWTH_MAX = 1.1;

/** Seawall's figure over a peer's, each round with the same round's. */
export function ratioTo(closed: ClosedResult, peer: ToolName, measure: Measure): RatioSummary | undefined {
  const rounds = Math.max(0, ...closed.rounds.map(({ round }) => round));
  const figures = (tool: ToolName): (number | undefined)[] =>
    Array.from({ length: rounds }, (_, index) => {
      const row = closed.rounds.find((one) => one.tool === tool && one.round === index + 1);
      return measure === 'cpu' ? row?.cpuUsPerRequest : row?.perSecond;
    });
  return compareRounds(figures('seawall'), figures(peer));
}

/** Every target of this benchmark, whatever was measured: a part that was left out is `not measured`, by name. */
export function judgeTargets(results: Results, missing: readonly MissingPeer[]): TargetVerdict[] {
  return [
    ...CPU_AT_MOST.map(([peer, limit]) => judgeRatio(results, missing, peer, 'cpu', limit)),
    ...THROUGHPUT_AT_LEAST.map(([peer, limit]) => judgeRatio(results, missing, peer, 'throughput', limit)),
    ...judgeOpen(results),
    judgeTruth(results),
    ...judgeMemory(results),
  ];
}

function whyAbsent({ broken }: Results, part: Part): string {
  const found = broken.find((one) => one.part === part);
  return found === undefined ? `the ${part} part was left out` : `the ${part} part broke: ${found.because}`;
}

function judgeRatio(
  results: Results,
  missing: readonly MissingPeer[],
  peer: ToolName,
  measure: Measure,
  limit: number,
): TargetVerdict {
  const [what, sign] = measure === 'cpu' ? ['CPU a request', '≤'] : ['throughput on one core', '≥'];
  const target = `${what} ${sign} ${limit}× ${peer}’s`;
  const absent = missing.find(({ name }) => name === peer);
  if (absent !== undefined) return notMeasured(target, `${peer} is not here: ${absent.get}`);
  const { closed } = results;
  if (closed === undefined) return notMeasured(target, whyAbsent(results, 'closed'));
  const ratio = ratioTo(closed, peer, measure);
  if (ratio === undefined) return notMeasured(target, whyNone(closed, peer));
  const taken = disturbance(closed, ['seawall', peer]);
  if (measure === 'throughput' && taken > DISTURBED_MAX) {
    const share = `${(taken * 100).toFixed(0)} % of the tool’s core in the median round`;
    return notMeasured(target, `other programs took ${share}: repeat on a quiet machine`);
  }
  const holds = (value: number): boolean => (measure === 'cpu' ? value <= limit : value >= limit);
  const bound = measure === 'throughput' ? boundBy(closed, peer) : '';
  return {
    target,
    verdict: holds(ratio.median) ? 'met' : 'missed',
    measured: `${describeRatio(ratio)}${bound}`,
    close: holds(ratio.low) !== holds(ratio.high),
  };
}

export function describeRatio({ median: middle, min, max, low, high, confidence, rounds }: RatioSummary): string {
  const at = `${low.toFixed(3)}–${high.toFixed(3)} at ${(confidence * 100).toFixed(1)} %`;
  return `${middle.toFixed(3)}× (${at}; ${rounds} rounds, ${min.toFixed(3)}–${max.toFixed(3)})`;
}

/** What others took of the tool's core in the median round of the tool that had the worst of it. */
function disturbance({ rounds }: ClosedResult, tools: readonly ToolName[]): number {
  const taken = tools.map((name) => median(rounds.filter(({ tool }) => tool === name).map((row) => row.disturbed)));
  return Math.max(...taken);
}

function whyNone(closed: ClosedResult, peer: ToolName): string {
  const failed = closed.failures.find(({ tool }) => tool === 'seawall' || tool === peer);
  return failed === undefined ? 'no round has both' : `${failed.tool}: ${failed.because}`;
}

function boundBy({ rounds }: ClosedResult, peer: ToolName): string {
  const bound = rounds.filter(({ tool, targetBound }) => targetBound && (tool === peer || tool === 'seawall'));
  if (bound.length === 0) return '';
  return `; in ${bound.length} rounds the server was the limit: ${[...new Set(bound.map(({ tool }) => tool))].join(', ')}`;
}

/** The spinning pacer is judged: here the generator has a core of its own. */
function judgeOpen(results: Results): TargetVerdict[] {
  const sent = `open model at ${OPEN_RATE}/s: sent ≥ ${SENT_MIN * 100} % of scheduled`;
  const late = `open model at ${OPEN_RATE}/s: lateness p99 ≤ ${LATENESS_MS} ms in every window`;
  const run = results.open?.runs.find(({ perSecond, asked }) => perSecond === OPEN_RATE && asked === 'spin');
  if (run === undefined) return [sent, late].map((target) => notMeasured(target, whyAbsent(results, 'open')));
  const { lateness, sentRatio, scheduled, droppedCap, droppedLate, pacer } = run;
  const windows = `median ${lateness.medianP99Ms.toFixed(2)} ms, worst ${lateness.worstP99Ms.toFixed(2)} ms`;
  return [
    verdictOf(
      sent,
      sentRatio >= SENT_MIN,
      `${(sentRatio * 100).toFixed(3)} % of ${scheduled}; dropped: ${droppedLate} too late, ${droppedCap} with ${IN_FLIGHT_MAX} in flight`,
    ),
    verdictOf(
      late,
      lateness.worstP99Ms <= LATENESS_MS,
      `${windows}; ${lateness.windowsOver3Ms} of ${lateness.windows} windows above; pacer ${pacer}`,
    ),
  ];
}

function judgeTruth(results: Results): TargetVerdict {
  const target = 'truth: every percentile with 100 samples beyond it within 2 % or 2 ms';
  const { truth } = results;
  if (truth === undefined) return notMeasured(target, whyAbsent(results, 'truth'));
  const failed = truth.failures.find(({ name }) => name.startsWith('seawall'));
  if (failed !== undefined) return notMeasured(target, `${failed.name}: ${failed.because}`);
  const judged = truth.runs
    .filter(({ name }) => name.startsWith('seawall'))
    .flatMap(({ percentiles }) => percentiles.filter(({ holds }) => holds !== undefined));
  if (judged.length === 0) return notMeasured(target, 'no percentile had samples enough');
  const wrong = judged.filter(({ holds }) => holds === false);
  const said = wrong.map(
    ({ percentile, trueMs, reportedMs }) => `p${percentile} ${reportedMs!.toFixed(1)} ms, true ${trueMs.toFixed(1)} ms`,
  );
  const measured = `${judged.length - wrong.length} of ${judged.length}${wrong.length === 0 ? '' : `; ${said.join('; ')}`}`;
  return verdictOf(target, wrong.length === 0, measured);
}

function judgeMemory(results: Results): TargetVerdict[] {
  const [below, constant] = [
    'memory: 10 million requests below 200 MB in the generator',
    'memory: 10 million requests without growth',
  ];
  const { memory } = results;
  if (memory === undefined) {
    return [below, constant].map((target) => notMeasured(target, whyAbsent(results, 'memory')));
  }
  const { requests, generator } = memory;
  const mb = (bytes: number): string => `${(bytes / 1e6).toFixed(0)} MB`;
  const most = `${mb(generator.maxBytes)} at most over ${requests.toLocaleString('en-US')} requests`;
  if (requests < MEMORY_REQUESTS) return [below, constant].map((target) => notMeasured(target, `only ${most}`));
  const ends = `${mb(generator.startBytes)} at the start, ${mb(generator.endBytes)} at the end`;
  return [
    verdictOf(below, generator.maxBytes < MEMORY_BYTES, most),
    verdictOf(
      constant,
      generator.growth <= GROWTH_MAX,
      `${generator.growth.toFixed(3)}× between the second and the last fifth; ${ends}`,
    ),
  ];
}

const verdictOf = (target: string, holds: boolean, measured: string): TargetVerdict => ({
  target,
  verdict: holds ? 'met' : 'missed',
  measured,
  close: false,
});

const notMeasured = (target: string, why: string): TargetVerdict => ({
  target,
  verdict: 'not measured',
  measured: why,
  close: false,
});
