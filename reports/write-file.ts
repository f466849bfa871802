import { mkdirSync, renameSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { HarnessError, messageOf } from '../harness/core/errors.ts';

/** Writes a report file whole or not at all; returns its path. */
export function writeWhole(outDir: string, name: string, text: string): string {
  const path = join(outDir, name);
  const draft = `${path}.part`;
  try {
    mkdirSync(dirname(path), { recursive: true });
    writeFileSync(draft, text);
    renameSync(draft, path);
  } catch (thrown) {
    throw new HarnessError(
      'DISK_FULL',
      `${path} could not be written: ${messageOf(thrown)}`,
      'Free some space or choose another --out, then `seawall report`.',
      thrown,
    );
  }
  return path;
}
