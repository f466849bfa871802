import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { findRun, killAll } from '../core/local-process.ts';
import { removeSegmentOf } from '../core/shared-memory.ts';
import type { Resource } from '../spi/runtime.ts';
import { runFolder } from './run-folder.ts';

/** Removes all that a local run left, recorded or not. From any process; idempotent; returns what it removed. */
export async function reapLocal(runId: string, resources: readonly Resource[], signal: AbortSignal): Promise<string[]> {
  const rows = findRun(runId);
  await killAll(() => findRun(runId), signal);
  const removed = rows.length === 0 ? [] : [`${rows.length} processes of run ${runId}`];
  const recorded = resources.filter(({ kind, id }) => kind === 'directory' && id.endsWith(`/seawall-${runId}`));
  for (const folder of new Set([runFolder(runId), ...recorded.map(({ id }) => id)])) {
    removed.push(...(await removeRunFolder(folder)));
  }
  return removed;
}

/** Removes a run's temporary folder, and first the shared memory that databases in it left. No process may be in it. */
export async function removeRunFolder(folder: string): Promise<string[]> {
  if (!existsSync(folder)) return [];
  const removed: string[] = [];
  for (const file of postmasterFiles(folder)) {
    if (await removeSegmentOf(readFileSync(file, 'utf8'))) removed.push(`the shared memory of ${file}`);
  }
  await rm(folder, { recursive: true, force: true, maxRetries: 5, retryDelay: 50 });
  return [...removed, folder];
}

function postmasterFiles(folder: string): string[] {
  const children = (parent: string): string[] =>
    readdirSync(parent, { withFileTypes: true })
      .filter((entry) => entry.isDirectory())
      .map((entry) => join(parent, entry.name));
  return children(folder)
    .flatMap(children)
    .map((data) => join(data, 'postmaster.pid'))
    .filter((file) => existsSync(file));
}
