import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { StepFailure } from '../harness/spi/load.ts';

/** The failed steps kept beside the journal; empty when there are none. A line cut by a sudden death is left out. */
export function readFailures(runDir: string): StepFailure[] {
  const path = join(runDir, 'failures.ndjson');
  if (!existsSync(path)) return [];
  const lines = readFileSync(path, 'utf8').split('\n');
  return lines
    .filter((line, index) => line !== '' && index < lines.length - 1)
    .map((line) => JSON.parse(line) as StepFailure);
}
