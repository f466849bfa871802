import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { writeFailure } from './append-file.ts';

/** A run's folder with its plan in it, as it was written. Throws DISK_FULL or FILE_UNREADABLE. */
export function makeFolder(runDir: string, planText: string): void {
  try {
    mkdirSync(join(runDir, 'logs'), { recursive: true });
    writeFileSync(join(runDir, 'plan.yaml'), planText);
  } catch (thrown) {
    throw writeFailure(runDir, thrown);
  }
}
