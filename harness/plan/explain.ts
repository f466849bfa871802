import { basename } from 'node:path';
import { lowerBound } from '../core/binomial.ts';
import { areaUntil, type RateSegment } from '../core/rate-curve.ts';
import { formatCount, formatDuration, formatPercent } from '../core/units.ts';
import type { Effect } from '../spi/fault.ts';
import type { JsonObject } from '../spi/json.ts';
import type { FaultCondition, FeedSpec, GuardSpec, RegionSpec, Scenario, Target } from '../spi/plan.ts';
import type { Timeline, TimelineCheck, TimelineFault } from '../spi/timeline.ts';
import { type Taken, takenBy, unitOf } from './budget.ts';
import { isClosed } from './check-rate.ts';
import { Concurrency } from './concurrent.ts';
import { maskSecrets, secretsOf } from './secrets.ts';
import { moreTimeFor } from './starts.ts';

const GUARD_CONFIDENCE = 0.95;
/** Curves of more pieces are told in one line. */
const STAGES_SHOWN = 12;

/** All that a run of this timeline would do, as a page of plain text. Starts nothing. */
export function explain(timeline: Timeline): string {
  const { plan } = timeline;
  const sections = [
    [`${plan.name}: ${plan.hypothesis}`],
    ['', 'Where', ...indent(where(timeline))],
    ['', 'When (from t = 0)', ...indent(schedule(timeline))],
    [
      '',
      'Load (journeys started from t = 0)',
      ...indent(timeline.scenarios.flatMap((scenario) => loadLines(timeline, scenario.name))),
    ],
    ['', 'Faults', ...indent(timeline.faults.length === 0 ? ['none'] : timeline.faults.flatMap(faultLines))],
    ['', 'Guard', ...indent([...guardLines(plan.guard, plan.load), ...budgetLines(timeline)])],
    ['', 'Verified', ...indent(timeline.checks.flatMap((check) => checkLines(check, plan.load)))],
    timeline.notes.length === 0 ? [] : ['', 'Notes', ...indent(timeline.notes)],
    ['', `digest ${timeline.digest}`],
  ];
  return maskSecrets(`${sections.flat().join('\n')}\n`, secretsOf(plan));
}

function where({ runtime, seed, topology, plan }: Timeline): string[] {
  const services = topology.nodes.filter(({ kind }) => kind === 'service').length;
  const stores = topology.nodes.length - services;
  const idcs = topology.idcs.map((idc) => (topology.edge.includes(idc) ? `${idc} (edge)` : idc));
  const existing = Object.entries(plan.stack.existing).map(([name, url]) => `${name} at ${url}, as it runs already`);
  return [
    `runtime ${runtime}, seed ${seed}`,
    ...existing,
    ...(topology.nodes.length === 0
      ? []
      : [`${services} service nodes, ${stores} store nodes, ${topology.links.length} links in ${idcs.join(', ')}`]),
  ];
}

/** Rows of time and what happens then, in order. */
function schedule({ plan, warmUpMs, loadMs, faults }: Timeline): string[] {
  const steadyMs = plan.steadyState.forMs;
  const p99 = plan.steadyState.p99Ms === undefined ? '' : `, p99 ≤ ${formatDuration(plan.steadyState.p99Ms)}`;
  const rows: [number, string][] = [
    [-steadyMs - warmUpMs, `warm-up for ${formatDuration(warmUpMs)}, in no finding`],
    [
      -steadyMs,
      `steady state for ${formatDuration(steadyMs)}: good ≥ ${formatPercent(plan.steadyState.goodRatio)}${p99}; else unknown, and nothing is injected`,
    ],
    [0, 't = 0'],
    ...plan.load.flatMap(stageRows),
    ...faults.flatMap((fault) => faultRows(fault, plan.recoveryWindowMs)),
    [loadMs, 'end of load; drain, audit, stack down'],
  ];
  const times = rows.map(([ms]) => timeText(ms));
  const width = Math.max(...times.map((text) => text.length));
  const order = rows.map((_, index) => index).toSorted((a, b) => rows[a]![0] - rows[b]![0] || a - b);
  return order.map((index) => `${times[index]!.padStart(width)}  ${rows[index]![1]}`);
}

function faultRows(fault: TimelineFault, recoveryWindowMs: number): [number, string][] {
  const { name, kind, atMs, forMs, target, lateMs = 0 } = fault;
  const late = lateMs === 0 ? '' : `, at the latest at ${timeText(atMs + lateMs)}`;
  const waits = conditionTexts(fault);
  const when = waits.length === 0 ? '' : `, when ${waits.join(' and ')}${late}`;
  const ends = lateMs === 0 ? '' : ` (at the latest at ${timeText(atMs + lateMs + forMs)})`;
  return [
    [atMs, `inject ${name}: ${kind} on ${targetText(target)}${drawnText(fault)}${when}`],
    [atMs + forMs, `heal ${name} (counted from its bite)${ends}; recovery window ${formatDuration(recoveryWindowMs)}`],
  ];
}

function drawnText({ drawn }: TimelineFault): string {
  return drawn === undefined ? '' : `, drawn from ${timeText(drawn.fromMs)} to ${timeText(drawn.toMs)}`;
}

function conditionTexts({ after = [] }: TimelineFault): string[] {
  return after.map(({ fault, moment, delayMs }) => {
    const delay = delayMs === 0 ? '' : ` and ${formatDuration(delayMs)} have passed`;
    return `${fault} ${MOMENTS[moment]}${delay}`;
  });
}

const MOMENTS: Readonly<Record<FaultCondition['moment'], string>> = {
  bitten: 'has bitten',
  healed: 'is healed',
  recovered: 'is recovered from',
  over: 'is over',
};

function stageRows(scenario: Scenario): [number, string][] {
  const { name, segments } = scenario;
  if (segments.length > STAGES_SHOWN) return [[0, `${name}: ${curveText(scenario)}`]];
  let atMs = 0;
  return segments.map((segment) => {
    const row: [number, string] = [atMs, `${name}: ${segmentText(segment, levelText(scenario))}`];
    atMs += segment.durationMs;
    return row;
  });
}

function segmentText({ fromRate, toRate, durationMs }: RateSegment, level: (rate: number) => string): string {
  const rates = fromRate === toRate ? level(toRate) : `${level(fromRate)} → ${level(toRate)}`;
  return `${rates} for ${formatDuration(durationMs)}`;
}

/** A curve of many pieces in one line: where it begins, its peak and when, where it ends. */
function curveText(scenario: Scenario): string {
  const { segments } = scenario;
  const level = levelText(scenario);
  let atMs = 0;
  let peak = { rate: segments[0]!.fromRate, atMs: 0 };
  for (const { toRate, durationMs } of segments) {
    atMs += durationMs;
    if (toRate > peak.rate) peak = { rate: toRate, atMs };
  }
  const mean = areaUntil(segments, atMs) / (atMs / 1000);
  return `a curve of ${formatCount(segments.length)} pieces for ${formatDuration(atMs)}: ${level(segments[0]!.fromRate)} at first, at most ${level(peak.rate)} at ${formatDuration(Math.round(peak.atMs))}, ${level(segments.at(-1)!.toRate)} at its end, ${level(mean)} on average`;
}

function levelText({ executor }: Scenario): (rate: number) => string {
  return isClosed(executor) ? (users) => `${formatCount(users)} users` : rateText;
}

function loadLines({ scenarios, plan }: Timeline, name: string): string[] {
  const compiled = scenarios.find((scenario) => scenario.name === name)!;
  const scenario = plan.load.find((candidate) => candidate.name === name)!;
  const journeys = scenario.mix.map(({ journey, share }) => {
    const starts = compiled.startsByJourney?.[journey];
    return `${journey} ${starts === undefined ? formatPercent(share) : formatCount(starts)}`;
  });
  const unknown = scenario.executor === 'replay' ? 'what the recording has' : 'as many as the answers allow';
  const starts = compiled.starts === undefined ? unknown : formatCount(compiled.starts);
  const whole = scenario.good.journeyWithinMs;
  const kind = scenario.shadow ? 'shadow' : 'real';
  const deadline = `good within ${formatDuration(scenario.good.withinMs)} a step${whole === undefined ? '' : `, ${formatDuration(whole)} in all`}`;
  return [
    `${name} (${kind}, ${scenario.executor}, engine ${compiled.driver}): ${starts} in ${formatDuration(compiled.durationMs)}: ${journeys.join(', ')}`,
    `  ${deadline}; shed counts as ${scenario.good.shed}; at most ${formatCount(scenario.inFlightMax)} in flight`,
    ...funnelLines(scenario).map((line) => `  ${line}`),
    ...(scenario.regions ?? []).map((region) => `  from ${region.name}: ${regionText(region, compiled.starts)}`),
    ...Object.entries(scenario.feeds ?? {}).map(([feed, spec]) => `  feed ${feed}: ${feedText(spec)}`),
  ];
}

/** Of journeys with a declared conversion: which share of those who start them comes to which step. */
function funnelLines({ journeys }: Scenario): string[] {
  return Object.entries(journeys).flatMap(([journey, steps]) => {
    if (steps.every(({ conversion }) => conversion === 1)) return [];
    let reached = 1;
    const parts = steps.map(({ name, conversion }) => {
      reached *= conversion;
      return `${name} ${formatPercent(reached)}`;
    });
    return [`${journey}, if all is good: ${parts.join(' → ')}`];
  });
}

function regionText(region: RegionSpec, starts: number | undefined): string {
  const { share, rttMs, jitterMs, bytesPerSecond, lossRatio } = region;
  const count = starts === undefined ? [] : [`about ${formatCount(Math.round(starts * share))} starts`];
  const jitter = jitterMs === 0 ? '' : ` ± ${formatDuration(jitterMs)}`;
  const line = bytesPerSecond === undefined ? [] : [`${formatCount(bytesPerSecond / 1000)} KB/s a connection`];
  const loss = lossRatio === 0 ? [] : [`${formatPercent(lossRatio)} of packets lost`];
  const way = [`${formatDuration(rttMs)}${jitter} more a round trip`, ...line, ...loss];
  return [formatPercent(share), ...count, ...way].join(', ');
}

function feedText({ source, order, skew }: FeedSpec): string {
  const from =
    'csv' in source
      ? basename(source.csv)
      : 'jsonLines' in source
        ? basename(source.jsonLines)
        : `${formatCount(source.rows)} generated rows`;
  const whales = Object.entries(skew?.whales?.times ?? {}).map(([value, times]) => `${value} × ${formatCount(times)}`);
  const zipf = skew === undefined || skew.zipf === 0 ? [] : [`Zipf ${skew.zipf}`];
  return [from, order, ...zipf, ...whales].join(', ');
}

function faultLines(fault: TimelineFault): string[] {
  const params = paramsText(fault.params);
  const { idcs, nodes, services } = fault.blast;
  return [
    `${fault.name}: ${fault.kind} on ${targetText(fault.target)}${params === '' ? '' : ` with ${params}`}, at ${formatDuration(fault.atMs)} for ${formatDuration(fault.forMs)}`,
    ...waitLines(fault),
    ...grouped(fault).map((line) => `  ${line}`),
    `  blast radius at worst: ${nodes.length} nodes of ${services.join(', ') || 'none'} in ${idcs.join(', ') || 'no IDC'}`,
  ];
}

function waitLines(fault: TimelineFault): string[] {
  const waits = conditionTexts(fault);
  if (waits.length === 0) return [];
  const latest = timeText(fault.atMs + (fault.lateMs ?? 0));
  return [`  when ${waits.join(' and ')}; skipped if that is not so by ${latest}, and then the verdict is unknown`];
}

/** Effects of one kind by one driver on one line. */
function grouped({ effects, drivers }: TimelineFault): string[] {
  const groups = new Map<string, string[]>();
  effects.forEach((effect, index) => {
    const key = `${effect.kind} (${effect.mode}, undone by ${effect.undo}) by ${drivers[index]}`;
    groups.set(key, [...(groups.get(key) ?? []), placeText(effect)]);
  });
  return [...groups].map(([key, places]) => {
    const shown =
      places.length > 6 ? `${places.slice(0, 6).join(', ')} and ${places.length - 6} more` : places.join(', ');
    return `${key}: ${shown}`;
  });
}

function placeText({ on }: Effect): string {
  if ('link' in on) return on.link;
  return 'node' in on ? on.node : `the ${on.role} of ${on.store} at that moment`;
}

function guardLines({ blastRadius, abortWhen }: GuardSpec, load: readonly Scenario[]): string[] {
  const limits = Object.entries(blastRadius ?? {}).map(([what, limit]) => `${what} ≤ ${limit}`);
  const rules = abortWhen.map(({ of, badRatio, overMs }) => {
    const scenario = load.find(({ name }) => name === of);
    const rule = `heal at once when ${of} has more than ${formatPercent(badRatio)} bad over ${formatDuration(overMs)}`;
    if (scenario !== undefined && isClosed(scenario.executor)) return `${rule}; of how many, the answers decide`;
    const n = scenario === undefined ? 0 : busiestWindow(scenario.segments, overMs);
    const trips = badStartsThatTrip(n, badRatio);
    const numbers =
      trips === undefined
        ? `never, with the ${formatCount(n)} starts of such a window`
        : `${formatCount(trips)} of ${formatCount(n)}`;
    return `${rule}: ${numbers}`;
  });
  return [
    `blast radius: ${limits.join(', ') || 'not limited'}`,
    ...(rules.length === 0 ? ['no rule to abort by'] : rules),
  ];
}

/** What is gone at the worst moment of each thing that the faults can take, beside what the stack can claim. */
function budgetLines({ faults, plan, topology }: Timeline): string[] {
  const worst = new Map<string, Taken>();
  const concurrency = new Concurrency(faults);
  faults.forEach((_fault, index) => {
    for (const set of concurrency.setsWith(index)) {
      const effects = set.flatMap((at) => faults[at]!.effects);
      for (const taken of takenBy(effects, plan.stack.entry, topology)) {
        if (taken.taken > (worst.get(taken.claim.what)?.taken ?? 0)) worst.set(taken.claim.what, taken);
      }
    }
  });
  return [...worst.values()].map(({ claim, taken }) => {
    const allowed = taken <= claim.survives ? '' : ': more than that';
    return `fault budget: at worst ${taken} of ${claim.members.length} ${unitOf(claim)} gone at one moment; the stack can claim to survive ${claim.survives}${allowed}`;
  });
}

/**
 * Fewest bad starts of `n` whose one-sided lower 95 % bound (Clopper–Pearson) exceeds the ratio; undefined when not even
 * all of them do.
 */
export function badStartsThatTrip(n: number, ratio: number): number | undefined {
  if (n === 0 || lowerBound(n, n, GUARD_CONFIDENCE) <= ratio) return undefined;
  let low = 0;
  let high = n;
  while (high - low > 1) {
    const middle = Math.floor((low + high) / 2);
    if (lowerBound(middle, n, GUARD_CONFIDENCE) > ratio) high = middle;
    else low = middle;
  }
  return high;
}

/** Most starts that a window of this length sees. */
function busiestWindow(segments: readonly RateSegment[], overMs: number): number {
  // A piecewise straight curve is at its most where the window begins or ends at a corner.
  let atMs = 0;
  const corners = [0, ...segments.map(({ durationMs }) => (atMs += durationMs))];
  const starts = corners.flatMap((corner) => [corner, Math.max(0, corner - overMs)]);
  return Math.round(Math.max(...starts.map((from) => areaUntil(segments, from + overMs) - areaUntil(segments, from))));
}

function checkLines(
  { check, params, advisory, sampleNeeded, sampleExpected }: TimelineCheck,
  load: readonly Scenario[],
): string[] {
  const head = `${check}: ${paramsText(params)}${advisory ? ' (advisory)' : ''}`;
  if (sampleNeeded === undefined) return [head];
  const scenario = load.find(({ name }) => name === params.of);
  const named = (key: 'journey' | 'region') => (typeof params[key] === 'string' ? { [key]: params[key] } : {});
  const part = { ...named('journey'), ...named('region') };
  const short = scenario !== undefined && sampleExpected !== undefined && sampleExpected < sampleNeeded;
  const more = short ? moreTimeFor(scenario, part, sampleNeeded) : undefined;
  const verdict = short
    ? `: too few to pass${more === undefined ? '' : `; ${formatDuration(more)} more would do`}`
    : '';
  const expected =
    sampleExpected === undefined
      ? '; how many this plan starts is not known before the run'
      : `, this plan starts ${formatCount(sampleExpected)}`;
  return [head, `  needs ${formatCount(sampleNeeded)} samples${expected}${verdict}`];
}

function targetText(target: Target): string {
  if ('link' in target) return `${target.link.from.join(', ')} → ${target.link.to.join(', ')}`;
  if ('store' in target) return `the ${target.role} of ${target.store}`;
  if ('service' in target) return target.idc === undefined ? target.service : `${target.service} in ${target.idc}`;
  return 'node' in target ? target.node : target.idc;
}

/** Parameters as read: `…Ms` as durations, shares as percentages. */
function paramsText(params: JsonObject): string {
  return Object.entries(params)
    .filter(([, value]) => value !== null && value !== undefined)
    .map(([key, value]) => `${key} ${valueText(key, value)}`)
    .join(', ');
}

const RATIOS = new Set(['target', 'confidence', 'rate', 'mix', 'conversion']);
const DURATIONS = new Set(['delay', 'jitter', 'rto', 'over', 'p50', 'p90', 'p99', 'p999']);

function valueText(key: string, value: unknown): string {
  if (typeof value === 'number' && RATIOS.has(key)) return formatPercent(value);
  if (typeof value === 'number' && DURATIONS.has(key)) return formatDuration(value);
  return typeof value === 'string' ? value : JSON.stringify(value);
}

function timeText(ms: number): string {
  if (ms === 0) return '0s';
  return ms < 0 ? `-${formatDuration(-ms)}` : formatDuration(ms);
}

function rateText(rate: number): string {
  return `${formatCount(rate)}/s`;
}

function indent(lines: readonly string[]): string[] {
  return lines.map((line) => `  ${line}`);
}
