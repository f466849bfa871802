import { curveDuration, type RateSegment } from '../core/rate-curve.ts';
import { formatPercent } from '../core/units.ts';
import type { JsonObject } from '../spi/json.ts';
import type { Scenario } from '../spi/plan.ts';
import type { Stack } from '../spi/stack.ts';
import type { StackNames } from './check-stack.ts';
import { isObject, suggest } from './load.ts';
import type { IssueBook } from './parts.ts';
import { planShape, type RawScenario, scenarioSchema } from './schema.ts';

const WARM_UP_DEFAULT_MS = 5000;

/** The load of a plan as far as it could be read. */
export interface CheckedLoad {
  scenarios: Scenario[];
  /** Names as written, also of scenarios that are wrong. */
  names: string[];
  /** From t = 0 to the end of the longest scenario; undefined when that cannot be told. */
  loadMs: number | undefined;
}

/** Checks the scenarios and turns their rates into segments from t = 0. */
export function checkLoad(raw: JsonObject, stack: Stack | undefined, known: StackNames, book: IssueBook): CheckedLoad {
  const parsed = book.parseList(scenarioSchema, planShape.load, raw.load, ['load']);
  const written = (Array.isArray(raw.load) ? raw.load : []).map((item) => (isObject(item) ? item.scenario : ''));
  const names = written.map((name) => (typeof name === 'string' ? name : ''));
  const before = book.issues.length;
  parsed.forEach((scenario, index) => {
    if (scenario !== undefined) checkScenario(scenario, index, names, known, book);
  });
  const whole = parsed.filter((scenario) => scenario !== undefined);
  const sound = whole.length === parsed.length && book.issues.length === before;
  const longest = Math.max(0, ...whole.map((scenario) => ownDuration(scenario) ?? 0));
  if (sound && longest === 0 && whole.length > 0) {
    const expected = '`for` or `stages` in at least one scenario';
    book.add(['load'], 'NO_DURATION', 'no scenario says how long the load lasts', { expected });
  }
  const loadMs = sound && longest > 0 ? longest : undefined;
  const warmUpMs = Math.max(0, ...whole.map((scenario) => scenario.warmUp ?? 0));
  const defaultWarmUpMs = whole.some((scenario) => scenario.warmUp !== undefined) ? warmUpMs : WARM_UP_DEFAULT_MS;
  const scenarios =
    loadMs === undefined ? [] : whole.map((scenario) => scenarioOf(scenario, loadMs, defaultWarmUpMs, stack));
  return { scenarios, names: names.filter((name) => name !== ''), loadMs };
}

function checkScenario(
  scenario: RawScenario,
  index: number,
  names: string[],
  known: StackNames,
  book: IssueBook,
): void {
  const path = ['load', index];
  if (names.slice(0, index).includes(scenario.scenario)) {
    book.add([...path, 'scenario'], 'NAME_TWICE', `there is a scenario "${scenario.scenario}" already`);
  }
  checkRate(scenario, path, book);
  checkMix(scenario, path, known, book);
  const { within, journeyWithin } = scenario.good;
  if (within === 0) book.add([...path, 'good', 'within'], 'VALUE', 'a deadline of nothing makes every request bad');
  if (journeyWithin !== undefined && journeyWithin < within) {
    const message = 'the whole journey’s deadline is shorter than that of one step';
    book.add([...path, 'good', 'journeyWithin'], 'VALUE', message, { expected: 'at least `within`' });
  }
}

function checkRate(scenario: RawScenario, path: (string | number)[], book: IssueBook): void {
  const constant = scenario.executor === 'constant-arrival-rate';
  const wrong = constant ? (['stages'] as const) : (['rate', 'for'] as const);
  for (const key of wrong) {
    if (scenario[key] === undefined) continue;
    const other = constant ? 'ramping-arrival-rate' : 'constant-arrival-rate';
    book.add([...path, key], 'VALUE', `\`${key}\` belongs to ${other}`, { at: 'key' });
  }
  const needed = constant ? 'rate' : 'stages';
  if (scenario[needed] === undefined) {
    book.add([...path, needed], 'VALUE', `${scenario.executor} needs \`${needed}\``);
    return;
  }
  const rates = constant ? [scenario.rate!] : scenario.stages!.flatMap((stage) => ('to' in stage ? [stage.to] : []));
  if (!rates.some((rate) => rate > 0)) {
    const expected = 'a rate above 0, which the warm-up runs at too';
    book.add([...path, needed], 'VALUE', 'this scenario never starts a journey', { expected });
  }
  if (rates.some((rate) => rate > 1_000_000)) book.add([...path, needed], 'VALUE', 'no generator reaches that rate');
  const durationMs = ownDuration(scenario);
  if (durationMs === 0) book.add([...path, constant ? 'for' : 'stages'], 'VALUE', 'this scenario lasts no time at all');
}

function checkMix(scenario: RawScenario, path: (string | number)[], known: StackNames, book: IssueBook): void {
  const shares = Object.entries(scenario.mix);
  for (const [journey] of shares) {
    if (!known.known || known.journeys.includes(journey)) continue;
    const more = suggest(journey, known.journeys);
    book.add([...path, 'mix', journey], 'REFERENCE_UNKNOWN', `the stack has no journey "${journey}"`, {
      ...more,
      at: 'key',
    });
  }
  // Whole units of 1e-10, so that 70% + 20% + 10% is 100% exactly.
  const sum = shares.reduce((total, [, share]) => total + Math.round(share * 1e10), 0);
  if (sum === 1e10) return;
  const message = `the shares sum to ${formatPercent(sum / 1e10, 8)}`;
  book.add([...path, 'mix'], 'SHARES', message, { expected: '100%' });
}

/** What the scenario itself says; undefined when it leaves that to the others. */
function ownDuration({ for: forMs, stages }: RawScenario): number | undefined {
  if (stages === undefined) return forMs;
  return stages.reduce((sum, stage) => sum + ('to' in stage ? stage.over : stage.hold), 0);
}

function segmentsOf(scenario: RawScenario, loadMs: number): RateSegment[] {
  if (scenario.stages === undefined) {
    const rate = scenario.rate!;
    return [{ fromRate: rate, toRate: rate, durationMs: scenario.for ?? loadMs }];
  }
  let rate = 0;
  return scenario.stages.map((stage) => {
    const fromRate = rate;
    if ('to' in stage) rate = stage.to;
    return { fromRate, toRate: rate, durationMs: 'to' in stage ? stage.over : stage.hold };
  });
}

function scenarioOf(raw: RawScenario, loadMs: number, warmUpMs: number, stack: Stack | undefined): Scenario {
  const segments = segmentsOf(raw, loadMs);
  const mix = Object.entries(raw.mix).map(([journey, share]) => ({ journey, share }));
  const journeys = mix.map(({ journey }) => [journey, stack?.journeys[journey] ?? []] as const);
  return {
    name: raw.scenario,
    executor: raw.executor,
    engine: raw.engine,
    segments,
    warmUpRate: segments.map(({ toRate }) => toRate).find((rate) => rate > 0) ?? 0,
    warmUpMs: raw.warmUp ?? warmUpMs,
    mix,
    journeys: Object.fromEntries(journeys),
    good: { withinMs: raw.good.within, journeyWithinMs: raw.good.journeyWithin, shed: raw.good.shed },
    shadow: raw.shadow,
    inFlightMax: raw.inFlight,
  };
}

/** End of the load: the longest scenario's. */
export function loadDuration(scenarios: readonly Scenario[]): number {
  return Math.max(0, ...scenarios.map(({ segments }) => curveDuration(segments)));
}
