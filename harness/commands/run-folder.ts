import { randomBytes } from 'node:crypto';
import { existsSync, readdirSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { HarnessError } from '../core/errors.ts';

/** `20261111-000000-3fa9`: sorts by time, unique enough beside others of the same second. */
export function newRunId(now: Date): string {
  const digits = now.toISOString().replaceAll(/[-:]/g, '').slice(0, 15).replace('T', '-');
  return `${digits}-${randomBytes(2).toString('hex')}`;
}

/** Where the runs of this installation lie: in the repository `reports/out`, else `./seawall-out`. */
export function runsFolder(): string {
  const fromSource = import.meta.url.endsWith('.ts');
  return fromSource ? fileURLToPath(new URL('../../reports/out', import.meta.url)) : resolve('seawall-out');
}

export function runFolder(runId: string, out: string | undefined): string {
  if (out === undefined) return join(runsFolder(), runId);
  const folder = resolve(out);
  if (!existsSync(folder) || readdirSync(folder).length === 0) return folder;
  throw new HarnessError('USAGE', `--out ${out} is not empty`, 'Give a folder that does not exist yet.');
}

/** A run by its folder or its id. */
export function findRunFolder(run: string): string {
  for (const folder of [resolve(run), join(runsFolder(), run)]) {
    if (existsSync(join(folder, 'journal.ndjson'))) return folder;
  }
  const hint = `Runs of this installation lie in ${runsFolder()}; or give the run's folder.`;
  throw new HarnessError('RUN_UNKNOWN', `${run} is neither a run's folder nor the id of a run`, hint);
}
