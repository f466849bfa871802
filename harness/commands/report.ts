import { copyFileSync, existsSync, mkdirSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { HarnessError } from '../core/errors.ts';
import { fileLines } from '../core/file-lines.ts';
import { mergeJournals } from '../verify/merge.ts';
import { judgeAndReport } from './judge-and-report.ts';
import { findRunFolder } from './run-folder.ts';

/**
 * `seawall report RUN`: judges an old run again, by today's checks, and writes its reports. Several runs are the segments
 * of one: they are put together and judged as one. Exit code as of the run.
 */
export async function reportCommand(
  runs: readonly string[],
  options: { out?: string; reporter?: string[] },
): Promise<number> {
  const folders = runs.map(findRunFolder);
  const first = folders[0]!;
  const outDir = options.out === undefined ? first : resolve(options.out);
  if (folders.length === 1) {
    mkdirSync(outDir, { recursive: true });
    return judgeAndReport(first, outDir, options.reporter, []);
  }
  if (options.out === undefined || existsSync(join(outDir, 'journal.ndjson'))) {
    const message = `${folders.length} runs are put together in a folder of their own`;
    throw new HarnessError('USAGE', message, 'Name one that does not exist yet: --out merged');
  }
  const events = mergeJournals(
    folders.map((folder, index) => ({ name: runs[index]!, lines: fileLines(join(folder, 'journal.ndjson')) })),
  );
  mkdirSync(outDir, { recursive: true });
  writeFileSync(join(outDir, 'journal.ndjson'), events.map((event) => `${JSON.stringify(event)}\n`).join(''));
  copyFileSync(join(first, 'plan.yaml'), join(outDir, 'plan.yaml'));
  return judgeAndReport(outDir, outDir, options.reporter, []);
}
