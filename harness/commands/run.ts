import { readFileSync } from 'node:fs';
import { systemClock } from '../core/clock.ts';
import { HarnessError } from '../core/errors.ts';
import { secretsOf } from '../plan/secrets.ts';
import { FAULT_DRIVERS, LOAD_DRIVERS, markerOf, neutralMarkerOf, PROBES, startProbeAgent } from '../registry.ts';
import { openAppend } from '../run/append-file.ts';
import { healDeadRuns } from '../run/heal.ts';
import { type KeptStack, onKept, sameStack } from '../run/kept-stack.ts';
import { Run, type RunDeps, type RunResult } from '../run/runner.ts';
import type { Plan } from '../spi/plan.ts';
import type { Capabilities } from '../spi/runtime.ts';
import { EXIT } from './exit.ts';
import { describeHeal } from './heal.ts';
import { judgeAndReport } from './judge-and-report.ts';
import { startKeeper } from './keeper.ts';
import { holding, keptNamed } from './kept.ts';
import { LiveView } from './live.ts';
import { detectEngines } from './load-engines.ts';
import { describeMachine, ownVersion } from './machine.ts';
import {
  type Chosen,
  chooseAndCompile,
  describeIssues,
  loadPlan,
  type PlanOptions,
  parseOverrides,
} from './plan-options.ts';
import { newRunId, runFolder } from './run-folder.ts';
import { parseSegment, type SegmentOptions } from './segment.ts';
import { byName, healDeps } from './wiring.ts';

export interface RunCommandOptions extends PlanOptions, SegmentOptions {
  out?: string;
  reporter?: string[];
  faults: boolean;
  /** Leave the stack up. */
  keep?: boolean;
  /** Work on this kept stack instead of standing one up; true: the only one. */
  on?: string | true;
}

/**
 * `seawall run PLAN`: heals what dead runs left, runs the plan, judges it, writes the reports. The exit code is the
 * verdict's, unless something more urgent is to be said.
 */
export async function runCommand(file: string, options: RunCommandOptions): Promise<number> {
  const { plan, warnings } = loadPlan(file, options);
  if (warnings.length > 0) process.stderr.write(`${describeIssues(warnings)}\n\n`);
  return runPlan(plan, readFileSync(plan.file, 'utf8'), options);
}

/** Runs a valid plan, judges it and writes the reports; `planText` is what the run's folder keeps of it. */
export async function runPlan(plan: Plan, planText: string, options: RunCommandOptions): Promise<number> {
  if (options.on === undefined) return runOn(undefined, plan, planText, options);
  const { index } = healDeps();
  const kept = keptNamed(options.on === true ? undefined : options.on, index);
  if (options.keep === true) throw new HarnessError('USAGE', '--keep with --on', 'A stack that is kept stays anyway.');
  if (!sameStack(plan.stack, kept.stack)) {
    const hint = `Leave out --on, or take this plan’s stack up: seawall up ${plan.file}`;
    throw new HarnessError('STACK_DIFFERS', `${kept.stackId} is up for another stack than the plan’s`, hint);
  }
  return holding(kept.stackId, index, () => runOn(kept, plan, planText, options));
}

async function runOn(
  kept: KeptStack | undefined,
  plan: Plan,
  planText: string,
  options: RunCommandOptions,
): Promise<number> {
  const runtimeOptions =
    kept === undefined ? options : { ...options, runtime: kept.runtime as RunCommandOptions['runtime'] };
  const chosen = await chooseAndCompile(plan, runtimeOptions);
  const engines = await detectEngines(chosen.timeline);
  const part = parseSegment(options, chosen.timeline.runtime);
  const deps = runDeps(chosen, kept);
  for (const healed of await healDeadRuns(healDeps()))
    process.stdout.write(`a dead run was found: ${describeHeal(healed)}`);
  const runId = newRunId(new Date());
  const runDir = runFolder(runId, options.out);
  const live = new LiveView();
  const why = kept === undefined ? chosen.why : `on stack ${kept.stackId}, which is up`;
  process.stdout.write(`runtime ${chosen.timeline.runtime}: ${why}\n`);
  const run = new Run(chosen.timeline, deps, {
    runId,
    runDir,
    planText,
    argv: process.argv.slice(2),
    versions: {
      seawall: ownVersion(),
      node: process.versions.node,
      ...chosen.capabilities.versions,
      ...proxyVersion(chosen.capabilities),
      ...engines,
    },
    machine: describeMachine(),
    injectFaults: options.faults,
    ...part,
    ...(options.keep === true ? { keep: { planFile: plan.file, overrides: parseOverrides(options.set) } } : {}),
    ...(kept === undefined ? {} : { on: kept.stackId }),
    proxy: chosen.capabilities.proxy?.engine ?? 'seawall',
    secrets: secretsOf(plan),
    listeners: [(event) => live.see(event)],
  });
  const interrupts = watchSignals(run);
  const result = await run.execute();
  live.end();
  if (options.keep === true && deps.index.get(runId)?.kept === true) {
    process.stdout.write(`stack ${runId} stays up; take it down: seawall down ${runId}\n`);
  }
  try {
    return await finish(runDir, result, options, interrupts.count() > 1);
  } finally {
    interrupts.forget();
  }
}

async function finish(
  runDir: string,
  result: RunResult,
  options: RunCommandOptions,
  hurried: boolean,
): Promise<number> {
  if (hurried) {
    process.stdout.write(`healed, no report written; judge it later: seawall report ${runDir}\n`);
    return result.leftovers.length > 0 ? EXIT.leftover : EXIT.interrupted;
  }
  return judgeAndReport(runDir, runDir, options.reporter, result.leftovers);
}

/** The first signal heals and reports, the second heals only; a third is not needed, since nothing waits for ever. */
function watchSignals(run: Run): { count: () => number; forget: () => void } {
  let count = 0;
  const hear = (signal: NodeJS.Signals): void => {
    count += 1;
    run.interrupt(signal);
  };
  const signals = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const;
  for (const signal of signals) process.on(signal, hear);
  // Another run may follow in this process, and this one is over.
  const forget = (): void => {
    for (const signal of signals) process.off(signal, hear);
  };
  return { count: () => count, forget };
}

function runDeps({ driver }: Chosen, kept: KeptStack | undefined): RunDeps {
  return {
    clock: systemClock,
    runtime: kept === undefined ? driver : onKept(kept, driver),
    load: (name) => byName(LOAD_DRIVERS, name, 'load driver'),
    faultDriver: (name) => byName(FAULT_DRIVERS, name, 'fault driver'),
    probe: (kind) => PROBES.get(kind)!,
    startProbes: startProbeAgent,
    startKeeper,
    index: healDeps().index,
    openAppend,
    marker: (runId, shadow) => (shadow ? markerOf(runId) : neutralMarkerOf(runId)),
  };
}

function proxyVersion(capabilities: Capabilities): Record<string, string> {
  const { proxy } = capabilities;
  return proxy === undefined ? {} : { [`proxy (${proxy.engine})`]: proxy.version };
}
