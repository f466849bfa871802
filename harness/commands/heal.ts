import { existsSync } from 'node:fs';
import { HarnessError } from '../core/errors.ts';
import { type HealResult, healDeadRuns, healRun } from '../run/heal.ts';
import type { IndexEntry } from '../run/run-index.ts';
import { EXIT } from './exit.ts';
import { healDeps } from './wiring.ts';

/**
 * `seawall heal [RUN]`: undoes what dead runs left, from any folder. Living runs and kept stacks are not touched. Exit 0 when nothing
 * is left, 5 when something could not be undone.
 */
export async function healCommand(runId: string | undefined): Promise<number> {
  const deps = healDeps();
  const results =
    runId === undefined ? await healDeadRuns(deps) : [await healRun(deadEntry(runId, deps.index.list()), deps)];
  for (const result of results) process.stdout.write(describeHeal(result));
  if (results.length === 0) process.stdout.write('nothing to heal: no dead run is known\n');
  return results.some((result) => result.failed.length > 0) ? EXIT.leftover : EXIT.pass;
}

export function describeHeal({ runId, runDir, done, failed }: HealResult): string {
  const lines = [`run ${runId}: ${failed.length === 0 ? 'healed' : 'NOT healed'}`];
  lines.push(...done.map((what) => `  undone: ${what}`), ...failed.map((what) => `  FAILED: ${what}`));
  if (failed.length > 0) lines.push(`  try again: seawall heal ${runId}`);
  if (existsSync(runDir)) lines.push(`  its folder: ${runDir}`);
  return `${lines.join('\n')}\n`;
}

function deadEntry(runId: string, entries: readonly IndexEntry[]): IndexEntry {
  const entry = entryOf(runId, entries);
  if (entry.kept !== true) return entry;
  throw new HarnessError('STACK_KEPT', `${runId} is a stack that was kept up`, `Take it down: seawall down ${runId}`);
}

export function entryOf(runId: string, entries: readonly IndexEntry[]): IndexEntry {
  const found = entries.find((entry) => entry.runId === runId);
  if (found !== undefined) return found;
  const known = entries.map((entry) => entry.runId).join(', ');
  const hint = known === '' ? 'No run of this user is open.' : `Open runs: ${known}`;
  throw new HarnessError('RUN_UNKNOWN', `no open run is called ${runId}`, hint);
}
