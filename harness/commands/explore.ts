import { existsSync, mkdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { dirname, join, relative, resolve } from 'node:path';
import { systemClock } from '../core/clock.ts';
import { HarnessError } from '../core/errors.ts';
import { formatDuration, parseDuration } from '../core/units.ts';
import { describeSchedule, type Exploration, explore, type Found, whatItProves } from '../plan/explore-loop.ts';
import type { Bounds } from '../plan/explore-schedule.ts';
import { type Schedule, type Space, spaceOf } from '../plan/explore-space.ts';
import { trialText, watchMs } from '../plan/explore-text.ts';
import { CATALOGUE, FAULT_DRIVERS } from '../registry.ts';
import type { Plan } from '../spi/plan.ts';
import { EXIT } from './exit.ts';
import {
  type Chosen,
  chooseAndCompile,
  loadPlan,
  type PlanOptions,
  parseOverrides,
  planFromText,
  shown,
} from './plan-options.ts';
import { newRunId, runFolder } from './run-folder.ts';
import { TrialBench } from './trial-bench.ts';

export interface ExploreCommandOptions extends PlanOptions {
  budget: string;
  schedules?: string;
  faults: string;
  holdMin: string;
  holdMax: string;
  converge?: string;
  repeats: string;
  fails: string;
  out?: string;
}

/** Between two faults on one place, and before what the first took counts as given back. */
const HEAL_MS = 3000;
/** The steady state is judged when the first answers are due and a little later: before, nothing is injected. */
const FIRST_AFTER_MS = 1000;
const CONVERGE_MS = 10_000;

/**
 * `seawall explore PLAN`: tries random schedules of faults on the plan's own stack, under its own load, until one breaks
 * what the plan asks or the time is over. What fails again and again is shrunk and written as a plan. Exit code 0:
 * nothing found, 1: found and shrunk, 2: undecided.
 */
export async function exploreCommand(file: string, options: ExploreCommandOptions): Promise<number> {
  const asked = parseAsked(options);
  const { plan: given } = loadPlan(file, options);
  const planText = readFileSync(given.file, 'utf8');
  const study = new Study(given, planText, parseOverrides(options.set), convergenceOf(given, options));
  const base = study.planFor([], 'nothing-yet').plan;
  const chosen = await chooseAndCompile(base, options);
  const bounds = boundsFor(base, chosen, study.convergeMs, options);
  const space = spaceOf(base, chosen.capabilities, CATALOGUE, FAULT_DRIVERS);
  if (space.targets.size === 0) throw nothingToDraw(space);
  const folder = runFolder(`explore-${newRunId(new Date())}`, options.out);
  mkdirSync(folder, { recursive: true });
  tell(
    `exploring ${given.name} for ${options.budget} from seed ${given.seed} on: ${[...space.targets.keys()].join(', ')}`,
  );
  const stop = new AbortController();
  const hear = (): void => stop.abort(new Error('interrupted'));
  for (const signal of SIGNALS) process.on(signal, hear);
  const bench = new TrialBench({
    chosen,
    planFile: given.file,
    planText: study.baseText,
    folder,
    stop: stop.signal,
    tell,
  });
  const endsMs = systemClock.now() + asked.budgetMs;
  let result: Exploration;
  try {
    result = await explore({
      ...{ seed: given.seed, space, bounds, fails: asked.fails, repeats: asked.repeats, tell },
      ...(asked.schedulesMax === undefined ? {} : { schedulesMax: asked.schedulesMax }),
      // A trial that would not end in time is not begun, except for the first.
      goOn: () => !stop.signal.aborted && bench.usable && systemClock.now() + bench.longestMs <= endsMs,
      trial: (schedule, what) => {
        const { plan, text } = study.planFor(schedule, what);
        return bench.trial(plan, text, what);
      },
    });
  } finally {
    await bench.end();
    for (const signal of SIGNALS) process.off(signal, hear);
  }
  conclude(result, space, study, folder);
  if (bench.leftovers) return EXIT.leftover;
  if (result.found !== undefined) return EXIT.fail;
  if (stop.signal.aborted) return EXIT.interrupted;
  return result.fleeting.length > 0 || result.trials.pass === 0 ? EXIT.unknown : EXIT.pass;
}

const SIGNALS = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const;

/** The plan that is explored, and the plans that its trials are. */
class Study {
  readonly convergeMs: number;
  readonly #plan: Plan;
  readonly #text: string;
  readonly #overrides: Record<string, string>;
  readonly #loadMs: number;

  constructor(plan: Plan, text: string, overrides: Record<string, string>, convergeMs: number) {
    this.#plan = plan;
    this.#text = text;
    this.#overrides = overrides;
    this.convergeMs = convergeMs;
    const lengths = plan.load.map(({ segments }) => segments.reduce((sum, { durationMs }) => sum + durationMs, 0));
    this.#loadMs = Math.max(...lengths);
  }

  /** The plan without a fault: what the stack is stood up by. */
  get baseText(): string {
    return this.planFor([], 'nothing-yet').text;
  }

  planFor(schedule: Schedule, what: string): { plan: Plan; text: string } {
    const text = this.#textFor(schedule, what);
    const file = join(dirname(this.#plan.file), 'explore.yaml');
    return { plan: planFromText(file, text).plan, text };
  }

  /** Writes a schedule as a plan that stands in another folder. */
  write(file: string, schedule: Schedule, what: string): void {
    const from = dirname(this.#plan.file);
    const text = this.#textFor(schedule, what, (path) => {
      const absolute = resolve(from, path);
      const isFile = path.includes('.') && existsSync(absolute) && statSync(absolute).isFile();
      if (!isFile || path.startsWith('/')) return undefined;
      const moved = relative(dirname(file), absolute);
      return moved.startsWith('.') ? moved : `./${moved}`;
    });
    planFromText(file, text);
    writeFileSync(file, text);
  }

  #textFor(schedule: Schedule, what: string, rename?: (path: string) => string | undefined): string {
    const name = `${this.#plan.name.slice(0, 20)}-${what}`.slice(0, 40).replaceAll(/-+$/g, '');
    return trialText(this.#text, {
      ...{ name, schedule, overrides: this.#overrides, convergeMs: this.convergeMs, loadMs: this.#loadMs },
      hypothesis: `${this.#plan.name} keeps what it must under these faults, and is well again after them.`,
      scenarios: this.#plan.load.map((scenario) => scenario.name),
      ...(rename === undefined ? {} : { rename }),
    });
  }
}

function conclude(result: Exploration, space: Space, study: Study, folder: string): void {
  const written = (found: Found, schedule: Schedule, name: string): string => {
    const file = join(folder, name);
    study.write(file, schedule, `seed-${found.seed}`);
    return shown(file);
  };
  const { found, fleeting, trials, more, kinds, seeds } = result;
  const lines = [
    '',
    `schedules tried: ${trials.pass + trials.fail + trials.unknown} (${trials.pass} passed, ${trials.fail} failed, ${trials.unknown} could not be judged), and ${more} trials to repeat and to shrink`,
    ...(seeds === undefined ? [] : [`seeds: ${seeds.from} to ${seeds.to}`]),
    `kinds tried: ${counted(kinds)}`,
    ...untried(space, kinds),
  ];
  if (found?.shrunk !== undefined) {
    const { schedule } = found.shrunk;
    lines.push(`found by seed ${found.seed}: ${found.failures.join('; ')}`, `  ${found.because}`, 'as it was drawn:');
    lines.push(describeSchedule(found.schedule), 'shrunk:', describeSchedule(schedule));
    written(found, found.schedule, 'drawn.yaml');
    lines.push(`run it: seawall run ${written(found, schedule, 'smallest.yaml')}`);
  }
  for (const one of fleeting) {
    const file = written(one, one.schedule, `fleeting-${one.seed}.yaml`);
    lines.push(
      `failed ${one.failed} of ${one.repeats} times: seed ${one.seed}, ${one.because}`,
      `  seawall run ${file}`,
    );
  }
  const proves = whatItProves(result);
  lines.push('', proves, `trials and summary: ${shown(folder)}`, '');
  process.stdout.write(lines.join('\n'));
  const summary = { version: 1, ...result, leftOut: Object.fromEntries(space.leftOut), proves };
  writeFileSync(join(folder, 'explore.json'), `${JSON.stringify(summary, undefined, 2)}\n`);
}

function counted(kinds: Readonly<Record<string, number>>): string {
  const all = Object.entries(kinds).toSorted(([a], [b]) => a.localeCompare(b));
  return all.length === 0 ? 'none' : all.map(([kind, count]) => `${kind} ${count}×`).join(', ');
}

function untried(space: Space, kinds: Readonly<Record<string, number>>): string[] {
  const missed = [...space.targets.keys()].filter((kind) => kinds[kind] === undefined);
  const byReason = Map.groupBy(space.leftOut, ([, why]) => why);
  return [
    ...(missed.length === 0 ? [] : [`possible, but not drawn: ${missed.join(', ')}`]),
    ...[...byReason].map(([why, all]) => `left out (${why}): ${all.map(([kind]) => kind).join(', ')}`),
  ];
}

function parseAsked({ budget, schedules, repeats, fails }: ExploreCommandOptions) {
  const asked = {
    budgetMs: durationOf('--budget', budget),
    schedulesMax: schedules === undefined ? undefined : countOf('--schedules', schedules),
    repeats: countOf('--repeats', repeats),
    fails: countOf('--fails', fails),
  };
  if (asked.fails <= asked.repeats) return asked;
  throw new HarnessError('USAGE', `--fails ${fails} of --repeats ${repeats}`, 'At most as many fails as repeats.');
}

/** `--converge`, else the longest time to recover that the plan grants. */
function convergenceOf({ verify }: Plan, { converge }: ExploreCommandOptions): number {
  if (converge !== undefined) return durationOf('--converge', converge);
  const granted = verify.flatMap(({ params }) => (typeof params.rto === 'number' ? [params.rto] : []));
  return granted.length === 0 ? CONVERGE_MS : Math.max(...granted);
}

function boundsFor(plan: Plan, { timeline }: Chosen, convergeMs: number, options: ExploreCommandOptions): Bounds {
  const firstMs = Math.ceil(Math.max(...plan.load.map(({ good }) => good.withinMs)) / 100) * 100 + FIRST_AFTER_MS;
  const lastMs = timeline.loadMs - watchMs(convergeMs);
  const [holdMinMs, holdMaxMs] = [durationOf('--hold-min', options.holdMin), durationOf('--hold-max', options.holdMax)];
  if (holdMinMs > holdMaxMs) throw new HarnessError('USAGE', '--hold-min is longer than --hold-max', 'Swap them.');
  if (firstMs + holdMinMs <= lastMs) {
    return { firstMs, lastMs, holdMinMs, holdMaxMs, healMs: HEAL_MS, faultsMax: countOf('--faults', options.faults) };
  }
  const needMs = firstMs + holdMinMs + watchMs(convergeMs);
  const message = `the load lasts ${formatDuration(timeline.loadMs)}, and ${formatDuration(needMs)} are needed: ${formatDuration(firstMs)} before the first fault, ${formatDuration(holdMinMs)} for it, ${formatDuration(watchMs(convergeMs))} to see the system well again`;
  throw new HarnessError('USAGE', message, 'Make the load longer (--set), or grant less: --converge, --hold-min.');
}

function nothingToDraw({ leftOut }: Space): HarnessError {
  const why = [...Map.groupBy(leftOut, ([, reason]) => reason)].map(
    ([reason, all]) => `${reason}: ${all.map(([kind]) => kind).join(', ')}`,
  );
  const hint = 'Give the stack more nodes, or allow more: `guard: { blastRadius: …, faultBudget: none }`.';
  return new HarnessError('USAGE', `no fault can be drawn on this stack: ${why.join('; ')}`, hint);
}

function durationOf(option: string, text: string): number {
  const ms = parseDuration(text);
  if (ms !== undefined && ms > 0) return ms;
  throw new HarnessError('USAGE', `${option} ${text} is no duration`, `For example: ${option} 10s`);
}

function countOf(option: string, text: string): number {
  const count = Number(text);
  if (Number.isSafeInteger(count) && count >= 1) return count;
  throw new HarnessError('USAGE', `${option} ${text} is not a whole number from 1 on`, `For example: ${option} 3`);
}

function tell(line: string): void {
  process.stdout.write(`${line}\n`);
}
