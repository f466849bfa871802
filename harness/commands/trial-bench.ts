import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { systemClock } from '../core/clock.ts';
import { deadline } from '../core/deadline.ts';
import { HarnessError, messageOf } from '../core/errors.ts';
import type { Trial } from '../plan/explore-loop.ts';
import { openAppend } from '../run/append-file.ts';
import { healDeadRuns, healRun } from '../run/heal.ts';
import { attachTo, type KeptStack } from '../run/kept-stack.ts';
import { standUp } from '../run/stand-up.ts';
import type { Plan } from '../spi/plan.ts';
import type { Report } from '../spi/reporter.ts';
import { EXIT } from './exit.ts';
import { describeHeal } from './heal.ts';
import type { Chosen } from './plan-options.ts';
import { runPlan } from './run.ts';
import { newRunId } from './run-folder.ts';
import { healDeps } from './wiring.ts';

const LOOK_MS = 10_000;
/** So many trials in a row in which the harness itself failed, and it is no use to go on. */
const BROKEN_MAX = 3;

export interface BenchOptions {
  chosen: Chosen;
  planFile: string;
  /** That the stack is stood up by. */
  planText: string;
  /** Each trial gets one in it. */
  folder: string;
  stop: AbortSignal;
  tell: (line: string) => void;
}

/** A stack that is kept up between trials, and stood up anew when a trial may have left something in it. */
export class TrialBench {
  readonly #options: BenchOptions;
  #kept: KeptStack | undefined;
  #stacks = 0;
  #broken = 0;
  /** How long the longest trial took, ms. */
  longestMs = 0;
  /** Something was left that could not be undone. */
  leftovers = false;

  constructor(options: BenchOptions) {
    this.#options = options;
  }

  /** False: another trial would only fail as the last ones did. */
  get usable(): boolean {
    return !this.leftovers && this.#broken < BROKEN_MAX;
  }

  /** An ordinary run on the kept stack, in a folder of its own. */
  async trial(plan: Plan, planText: string, name: string): Promise<Trial> {
    const out = join(this.#options.folder, name);
    const startedMs = systemClock.now();
    const kept = await this.#up();
    if (kept === undefined) return { ...UNJUDGED, because: 'it was interrupted before its stack was up', folder: out };
    const code = await runPlan(plan, planText, {
      ...{ set: [], runtime: 'auto', faults: true, on: kept.stackId, out, reporter: ['json', 'html'] },
    });
    this.longestMs = Math.max(this.longestMs, systemClock.now() - startedMs);
    this.leftovers ||= code === EXIT.leftover;
    this.#broken = code === EXIT.harness ? this.#broken + 1 : 0;
    const trial = readTrial(out);
    // What could not be judged may be a system that is broken for good: the next would be judged by that.
    if (trial.verdict !== 'pass' || code !== EXIT.pass || !(await this.#whole(kept))) await this.end();
    return trial;
  }

  /** Takes the stack down, whatever state it is in. */
  async end(): Promise<void> {
    const kept = this.#kept;
    this.#kept = undefined;
    if (kept === undefined) return;
    const deps = healDeps();
    const entry = deps.index.get(kept.stackId);
    const healed = [...(await healDeadRuns(deps)), ...(entry === undefined ? [] : [await healRun(entry, deps)])];
    const failed = healed.filter((one) => one.failed.length > 0);
    if (failed.length === 0) return;
    this.leftovers = true;
    for (const one of failed) this.#options.tell(describeHeal(one));
  }

  async #up(): Promise<KeptStack | undefined> {
    if (this.#kept !== undefined) return this.#kept;
    const { chosen, planFile, planText, folder, stop, tell } = this.#options;
    this.#stacks += 1;
    const stackId = newRunId(new Date());
    this.#kept = await standUp(chosen.timeline, {
      ...{ stackId, planFile, planText, stop, overrides: {} },
      runDir: join(folder, `stack-${this.#stacks}`),
      proxy: chosen.capabilities.proxy?.engine ?? 'seawall',
      runtime: chosen.driver,
      index: healDeps().index,
      clock: systemClock,
      openAppend,
      tell: (body) => {
        if (body.type === 'stack.up') tell(`stack ${stackId} is up: ${body.nodes.length} nodes, ${body.links} links`);
        if (body.type === 'log') tell(body.message);
      },
    });
    return this.#kept;
  }

  /** Every node alive, and every store with one primary and nobody unsure. */
  async #whole(kept: KeptStack): Promise<boolean> {
    const signal = deadline(LOOK_MS);
    try {
      const ctx = { signal, record: async () => undefined, progress: () => undefined };
      await using env = await attachTo(kept, this.#options.chosen.driver, ctx);
      const states = [...env.nodes.values()].map(async ({ spec, life, store }) => {
        const alive = (await life?.alive()) ?? true;
        return { of: spec.of, alive, role: alive ? await store?.role(signal) : undefined };
      });
      const nodes = await Promise.all(states);
      const stores = Map.groupBy(
        nodes.filter(({ role }) => role !== undefined),
        ({ of }) => of,
      );
      const led = [...stores.values()].every(
        (members) => members.filter(({ role }) => role === 'primary').length === 1,
      );
      return led && nodes.every(({ alive, role }) => alive && role !== 'unknown');
    } catch (thrown) {
      this.#options.tell(`the stack cannot be looked at and is stood up anew: ${messageOf(thrown)}`);
      return false;
    }
  }
}

const UNJUDGED = { verdict: 'unknown', failures: [] } as const;

/** What the run's own report says. */
function readTrial(folder: string): Trial {
  const file = join(folder, 'report.json');
  if (!existsSync(file)) return { ...UNJUDGED, because: 'it was ended before it could be judged', folder };
  const { verdict, findings, summary, error } = readReport(file);
  const counted = findings.filter(({ advisory, verdict: one }) => !advisory && one === verdict);
  const failures = counted.map(({ check, scope }) => `${check} ${scope.split(',')[0]}`);
  const because = counted[0]?.because ?? error?.message ?? summary;
  return { verdict, failures: verdict === 'fail' ? [...new Set(failures)] : [], because, folder };
}

function readReport(file: string): Report {
  try {
    return JSON.parse(readFileSync(file, 'utf8')) as Report;
  } catch (thrown) {
    throw new HarnessError('FILE_UNREADABLE', `${file}: ${messageOf(thrown)}`, 'Look at the trial’s folder.', thrown);
  }
}
