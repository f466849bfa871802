import { resolve } from 'node:path';
import { messageOf } from '../core/errors.ts';
import { curveDuration, type RateSegment } from '../core/rate-curve.ts';
import type { JsonObject } from '../spi/json.ts';
import type { ReplaySpec, Scenario } from '../spi/plan.ts';
import type { JourneyStep, Stack } from '../spi/stack.ts';
import { type CheckedFeed, checkFeedLengths, checkFeedNames, checkFeeds } from './check-feeds.ts';
import { checkRate, executorOf, type PlanFiles, type Traffic } from './check-rate.ts';
import { checkRegions, checkShares, regionsOf } from './check-regions.ts';
import type { StackNames } from './check-stack.ts';
import { contentsOf } from './digest.ts';
import type { Path } from './document.ts';
import { isLoopback } from './hosts.ts';
import { bytesOf, isObject, suggest } from './load.ts';
import type { IssueBook } from './parts.ts';
import { planShape, type RawScenario, scenarioSchema } from './schema.ts';

const WARM_UP_DEFAULT_MS = 5000;
/** What the one journey of a user's own script is called in windows and findings. */
const SCRIPT_JOURNEY = 'script';
/** The same for a replay, whose steps are the commonest kinds of request. */
const REPLAY_JOURNEY = 'replay';

/** The load of a plan as far as it could be read. */
export interface CheckedLoad {
  scenarios: Scenario[];
  /** Names as written, also of scenarios that are wrong. */
  names: string[];
  /** From t = 0 to the end of the longest scenario; undefined when that cannot be told. */
  loadMs: number | undefined;
}

/** What checking the load needs beside the plan itself. */
export interface LoadSurroundings extends PlanFiles {
  stack: Stack | undefined;
  known: StackNames;
}

/** A scenario whose own parts are right. */
interface Sound {
  raw: RawScenario;
  path: Path;
  traffic: Traffic;
  mix: Record<string, number>;
  feeds: Map<string, CheckedFeed>;
}

/** Checks the scenarios and turns their traffic into segments from t = 0. */
export function checkLoad(raw: JsonObject, around: LoadSurroundings, book: IssueBook): CheckedLoad {
  const parsed = book.parseList(scenarioSchema, planShape.load, raw.load, ['load']);
  const written = (Array.isArray(raw.load) ? raw.load : []).map((item) => (isObject(item) ? item.scenario : ''));
  const names = written.map((name) => (typeof name === 'string' ? name : ''));
  const before = book.issues.length;
  const sound = parsed.flatMap((scenario, index) =>
    scenario === undefined ? [] : (checkScenario(scenario, index, names, around, book) ?? []),
  );
  const whole = sound.length === parsed.length && sound.length > 0 && book.issues.length === before;
  const longest = Math.max(0, ...sound.map(({ traffic }) => durationOf(traffic)));
  if (whole && longest === 0) {
    const expected = '`for`, `stages` or `curve` in at least one scenario';
    book.add(['load'], 'NO_DURATION', 'no scenario says how long the load lasts', { expected });
  }
  const loadMs = whole && longest > 0 ? longest : undefined;
  const warmUps = sound.flatMap(({ raw: { warmUp } }) => (warmUp === undefined ? [] : [warmUp]));
  const warmUpMs = warmUps.length === 0 ? WARM_UP_DEFAULT_MS : Math.max(...warmUps);
  const scenarios = loadMs === undefined ? [] : sound.map((one) => scenarioOf(one, loadMs, warmUpMs, around));
  scenarios.forEach((scenario, index) => {
    checkFeedLengths(scenario, sound[index]!.feeds, around.steadyMs, ['load', index], book);
  });
  return { scenarios, names: names.filter((name) => name !== ''), loadMs };
}

function checkScenario(
  raw: RawScenario,
  index: number,
  names: string[],
  around: LoadSurroundings,
  book: IssueBook,
): Sound | undefined {
  const path = ['load', index];
  if (names.slice(0, index).includes(raw.scenario)) {
    book.add([...path, 'scenario'], 'NAME_TWICE', `there is a scenario "${raw.scenario}" already`);
  }
  const traffic = checkRate(raw, path, around, book);
  checkEngine(raw, path, around, book);
  const mix = checkMix(raw, path, around.known, book);
  checkRegions(raw, Object.keys(mix).length, path, book);
  const feeds = checkFeeds(raw.feeds, path, around, book);
  checkFeedNames(journeysOf(Object.keys(mix), around.stack), Object.keys(raw.feeds), feeds, path, book);
  const { within, journeyWithin } = raw.good;
  if (within === 0) book.add([...path, 'good', 'within'], 'VALUE', 'a deadline of nothing makes every request bad');
  if (journeyWithin !== undefined && journeyWithin < within) {
    const message = 'the whole journey’s deadline is shorter than that of one step';
    book.add([...path, 'good', 'journeyWithin'], 'VALUE', message, { expected: 'at least `within`' });
  }
  return traffic === undefined ? undefined : { raw, path, traffic, mix, feeds };
}

function checkEngine(raw: RawScenario, path: Path, { folder, world }: PlanFiles, book: IssueBook): void {
  if (raw.threads !== undefined && raw.engine !== 'native') {
    const message = `\`threads\` belongs to the native engine, and this one is ${raw.engine}`;
    book.add([...path, 'threads'], 'VALUE', message, { at: 'key' });
  }
  if (raw.http !== undefined && raw.engine !== 'native') {
    const message = `\`http\` belongs to the native engine, and this one is ${raw.engine}`;
    book.add([...path, 'http'], 'VALUE', message, { at: 'key' });
  }
  if (raw.script === undefined) return;
  if (raw.engine !== 'k6') {
    const message = `\`script\` is for k6, and this engine is ${raw.engine}`;
    book.add([...path, 'script'], 'VALUE', message, { at: 'key', hint: 'say `engine: k6`' });
  }
  const file = resolve(folder, raw.script);
  if (!world.exists(file)) book.add([...path, 'script'], 'FILE_UNREADABLE', `there is no file ${raw.script}`);
  else checkReadable(file, raw.script, [...path, 'script'], world, book);
}

function checkReadable(file: string, named: string, path: Path, world: PlanFiles['world'], book: IssueBook): void {
  try {
    bytesOf(world, file);
  } catch (thrown) {
    book.add(path, 'FILE_UNREADABLE', `${named}: ${messageOf(thrown)}`);
  }
}

/** The shares as given, or all of it for the only journey. */
function checkMix(raw: RawScenario, path: Path, known: StackNames, book: IssueBook): Record<string, number> {
  if (raw.mix === undefined) {
    if (raw.script !== undefined) return { [SCRIPT_JOURNEY]: 1 };
    if (executorOf(raw) === 'replay') return { [REPLAY_JOURNEY]: 1 };
    const [only, ...more] = known.journeys;
    if (only !== undefined && more.length === 0) return { [only]: 1 };
    if (known.known && only === undefined) {
      const hint = 'say in the stack what users do, or name a `recording` or, with `engine: k6`, a `script`';
      book.add(path, 'VALUE', 'there is nothing to send: the stack has no `journeys`', { hint });
    } else if (known.known) {
      const expected = `a share for each of ${known.journeys.join(', ')}`;
      book.add([...path, 'mix'], 'VALUE', '"mix" is missing', { expected });
    }
    return {};
  }
  const shares = Object.entries(raw.mix);
  for (const [journey] of shares) {
    if (!known.known || known.journeys.includes(journey) || raw.script !== undefined) continue;
    const more = suggest(journey, known.journeys);
    book.add([...path, 'mix', journey], 'REFERENCE_UNKNOWN', `the stack has no journey "${journey}"`, {
      ...more,
      at: 'key',
    });
  }
  checkShares(
    shares.map(([, share]) => share),
    [...path, 'mix'],
    book,
  );
  return raw.mix;
}

/** What the traffic itself says; 0 when it leaves that to the others. */
function durationOf(traffic: Traffic): number {
  return 'segments' in traffic ? curveDuration(traffic.segments) : 0;
}

function segmentsOf(traffic: Traffic, loadMs: number): RateSegment[] {
  if ('segments' in traffic) return traffic.segments;
  return [{ fromRate: traffic.steady, toRate: traffic.steady, durationMs: loadMs }];
}

function journeysOf(names: readonly string[], stack: Stack | undefined): Record<string, JourneyStep[]> {
  return Object.fromEntries(names.map((name) => [name, stack?.journeys[name] ?? []]));
}

function scenarioOf(sound: Sound, loadMs: number, warmUpMs: number, around: LoadSurroundings): Scenario {
  const { raw, feeds } = sound;
  const segments = segmentsOf(sound.traffic, loadMs);
  const rates = segments.flatMap(({ fromRate, toRate }) => [fromRate, toRate]);
  return {
    name: raw.scenario,
    executor: executorOf(raw),
    engine: raw.engine,
    segments,
    warmUpRate: rates.find((rate) => rate > 0) ?? 0,
    warmUpMs: raw.warmUp ?? (raw.recording === undefined ? warmUpMs : 0),
    ...(raw.recording === undefined ? {} : { replay: replaySpecOf(raw, around.folder) }),
    mix: Object.entries(sound.mix).map(([journey, share]) => ({ journey, share })),
    journeys: journeysOf(Object.keys(sound.mix), around.stack),
    good: { withinMs: raw.good.within, journeyWithinMs: raw.good.journeyWithin, shed: raw.good.shed },
    shadow: raw.shadow,
    inFlightMax: raw.inFlight,
    ...(feeds.size === 0 ? {} : { feeds: Object.fromEntries([...feeds].map(([name, { spec }]) => [name, spec])) }),
    ...(raw.http === undefined ? {} : { http: { version: raw.http.version, proxy: raw.http.proxy } }),
    ...(raw.script === undefined ? {} : scriptOf(raw.script, around)),
    ...(raw.regions === undefined ? {} : { regions: regionsOf(raw.regions) }),
    ...(raw.threads === undefined ? {} : { threads: raw.threads }),
  };
}

/** Proxies outside loopback that the plan does not allow by name: whatever goes through them they see. */
export function checkProxies(scenarios: readonly Scenario[], allowHosts: readonly string[], book: IssueBook): void {
  scenarios.forEach(({ http }, index) => {
    const host = http?.proxy === undefined ? undefined : new URL(http.proxy).hostname;
    if (host === undefined || isLoopback(host) || allowHosts.includes(host)) return;
    const hint = `if you mean it, say \`allowHosts: [${host}]\` in the plan`;
    const message = `${host} is neither loopback nor allowed by the plan`;
    book.add(['load', index, 'http', 'proxy'], 'HOST_NOT_ALLOWED', message, { hint });
  });
}

function scriptOf(named: string, { folder, world }: PlanFiles): Pick<Scenario, 'script' | 'scriptContents'> {
  const script = resolve(folder, named);
  return { script, scriptContents: contentsOf(bytesOf(world, script)) };
}

function replaySpecOf({ recording, speed, sessions, sign }: RawScenario, folder: string): ReplaySpec {
  return {
    recording: resolve(folder, recording!),
    speed: speed ?? 1,
    sessions: sessions ?? 1,
    ...(sign === undefined ? {} : { sign: resolve(folder, sign) }),
  };
}

/** End of the load: the longest scenario's. */
export function loadDuration(scenarios: readonly Scenario[]): number {
  return Math.max(0, ...scenarios.map(({ segments }) => curveDuration(segments)));
}
