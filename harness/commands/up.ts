import { readFileSync } from 'node:fs';
import { basename, dirname, extname, join, resolve } from 'node:path';
import { parseDocument } from 'yaml';
import { systemClock } from '../core/clock.ts';
import { HarnessError, messageOf } from '../core/errors.ts';
import { formatDuration } from '../core/units.ts';
import { planForStack } from '../plan/experiment.ts';
import { openAppend } from '../run/append-file.ts';
import { healDeadRuns } from '../run/heal.ts';
import { standUp } from '../run/stand-up.ts';
import type { JournalBody } from '../spi/journal.ts';
import { EXIT } from './exit.ts';
import { describeHeal } from './heal.ts';
import { chooseAndCompile, type PlanOptions, parseOverrides, parseSeed, planFromText } from './plan-options.ts';
import { newRunId, runFolder } from './run-folder.ts';
import { healDeps } from './wiring.ts';

/**
 * `seawall up PLAN|STACK`: stands the stack up and leaves it up, for `status`, `inject`, `run --on` and at last `down`.
 * Ctrl-C while it comes up leaves nothing.
 */
export async function upCommand(file: string, options: PlanOptions & { out?: string }): Promise<number> {
  const { planFile, planText } = planFor(resolve(file));
  const overrides = parseOverrides(options.set);
  const { plan } = planFromText(planFile, planText, overrides);
  if (options.seed !== undefined) plan.seed = parseSeed(options.seed);
  const chosen = await chooseAndCompile(plan, options);
  for (const healed of await healDeadRuns(healDeps())) {
    process.stdout.write(`a dead run was found: ${describeHeal(healed)}`);
  }
  const stackId = newRunId(new Date());
  process.stdout.write(`runtime ${chosen.timeline.runtime}: ${chosen.why}\n`);
  const stop = new AbortController();
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, () => stop.abort(signal));
  const kept = await standUp(chosen.timeline, {
    ...{ stackId, runDir: runFolder(stackId, options.out), planFile, planText, overrides },
    proxy: chosen.capabilities.proxy?.engine ?? 'seawall',
    runtime: chosen.driver,
    index: healDeps().index,
    clock: systemClock,
    openAppend,
    stop: stop.signal,
    tell,
  });
  if (kept === undefined) return EXIT.interrupted;
  process.stdout.write(
    [
      `stack ${stackId} is up; its folder: ${kept.runDir}`,
      '  look at it:    seawall status',
      '  break it:      seawall inject network.latency --link FROM:TO --delay 100ms --for 30s',
      '  take it down:  seawall down',
      '',
    ].join('\n'),
  );
  return EXIT.pass;
}

function tell(body: JournalBody): void {
  if (body.type === 'stack.progress') process.stdout.write(`  ${body.message}\n`);
  if (body.type === 'stack.up') {
    process.stdout.write(`  ${body.nodes.length} nodes and ${body.links} links ready in ${formatDuration(body.ms)}\n`);
  }
  if (body.type === 'log') process.stderr.write(`${body.message}\n`);
}

/** A plan as it is; a stack gets one that visits it a little. */
function planFor(file: string): { planFile: string; planText: string } {
  const text = read(file);
  const document = parseDocument(text);
  const journeys = document.get('journeys');
  if (document.has('plan') || !document.has('services')) return { planFile: file, planText: text };
  const names = Object.keys((document.toJS() as { journeys?: object }).journeys ?? {});
  if (journeys === undefined || names.length === 0) {
    const hint = 'Give it `journeys`: what users ask of it is how a fault is felt.';
    throw new HarnessError('PLAN_INVALID', `the stack ${file} has no journeys`, hint);
  }
  const name = basename(file, extname(file));
  return {
    planFile: join(dirname(file), `up-${name}.yaml`),
    planText: planForStack(name, `./${basename(file)}`, names),
  };
}

function read(file: string): string {
  try {
    return readFileSync(file, 'utf8');
  } catch (thrown) {
    throw new HarnessError('FILE_UNREADABLE', messageOf(thrown), 'Name a plan or a stack file.', thrown);
  }
}
