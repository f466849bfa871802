import { readFileSync } from 'node:fs';
import { systemClock } from '../core/clock.ts';
import { secretsOf } from '../plan/secrets.ts';
import { FAULT_DRIVERS, LOAD_DRIVERS, markerOf, neutralMarkerOf, PROBES, startProbeAgent } from '../registry.ts';
import { openAppend } from '../run/append-file.ts';
import { healDeadRuns } from '../run/heal.ts';
import { Run, type RunDeps, type RunResult } from '../run/runner.ts';
import type { Plan } from '../spi/plan.ts';
import type { Capabilities } from '../spi/runtime.ts';
import { EXIT } from './exit.ts';
import { describeHeal } from './heal.ts';
import { judgeAndReport } from './judge-and-report.ts';
import { LiveView } from './live.ts';
import { detectEngines } from './load-engines.ts';
import { describeMachine, ownVersion } from './machine.ts';
import { type Chosen, chooseAndCompile, describeIssues, loadPlan, type PlanOptions } from './plan-options.ts';
import { newRunId, runFolder } from './run-folder.ts';
import { parseSegment, type SegmentOptions } from './segment.ts';
import { byName, healDeps } from './wiring.ts';

export interface RunCommandOptions extends PlanOptions, SegmentOptions {
  out?: string;
  reporter?: string[];
  faults: boolean;
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
  const chosen = await chooseAndCompile(plan, options);
  const engines = await detectEngines(chosen.timeline);
  const part = parseSegment(options, chosen.timeline.runtime);
  const deps = runDeps(chosen);
  for (const healed of await healDeadRuns(healDeps()))
    process.stdout.write(`a dead run was found: ${describeHeal(healed)}`);
  const runId = newRunId(new Date());
  const runDir = runFolder(runId, options.out);
  const live = new LiveView();
  process.stdout.write(`runtime ${chosen.timeline.runtime}: ${chosen.why}\n`);
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
    proxy: chosen.capabilities.proxy?.engine ?? 'seawall',
    secrets: secretsOf(plan),
    listeners: [(event) => live.see(event)],
  });
  const interrupts = watchSignals(run);
  const result = await run.execute();
  live.end();
  return finish(runDir, result, options, interrupts.count() > 1);
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
function watchSignals(run: Run): { count: () => number } {
  let count = 0;
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
    process.on(signal, () => {
      count += 1;
      run.interrupt(signal);
    });
  }
  return { count: () => count };
}

function runDeps({ driver }: Chosen): RunDeps {
  return {
    clock: systemClock,
    runtime: driver,
    load: (name) => byName(LOAD_DRIVERS, name, 'load driver'),
    faultDriver: (name) => byName(FAULT_DRIVERS, name, 'fault driver'),
    probe: (kind) => PROBES.get(kind)!,
    startProbes: startProbeAgent,
    index: healDeps().index,
    openAppend,
    marker: (runId, shadow) => (shadow ? markerOf(runId) : neutralMarkerOf(runId)),
  };
}

function proxyVersion(capabilities: Capabilities): Record<string, string> {
  const { proxy } = capabilities;
  return proxy === undefined ? {} : { [`proxy (${proxy.engine})`]: proxy.version };
}
