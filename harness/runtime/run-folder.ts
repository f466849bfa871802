import { chmodSync, mkdirSync, realpathSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { runFolderName } from '../core/local-process.ts';

/**
 * Where a run keeps what must not outlive it. Below the system's temporary folder; as root, databases run as another
 * user, so a temporary folder that others may not enter is passed over.
 */
export function runFolder(runId: string): string {
  return join(temporaryRoot(), runFolderName(runId));
}

function temporaryRoot(): string {
  const own = realpathSync(tmpdir());
  return process.getuid?.() === 0 && !othersMayEnter(own) ? realpathSync('/tmp') : own;
}

function othersMayEnter(folder: string): boolean {
  if ((statSync(folder).mode & 0o001) === 0) return false;
  return dirname(folder) === folder || othersMayEnter(dirname(folder));
}

/** Makes a folder that every user may enter and read, whatever the umask. */
export function makeReadable(folder: string): void {
  mkdirSync(folder, { recursive: true });
  chmodSync(folder, 0o755);
}
