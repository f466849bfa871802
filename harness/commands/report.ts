import { mkdirSync } from 'node:fs';
import { resolve } from 'node:path';
import { judgeAndReport } from './judge-and-report.ts';
import { findRunFolder } from './run-folder.ts';

/** `seawall report RUN`: judges an old run again, by today's checks, and writes its reports. Exit code as of the run. */
export async function reportCommand(run: string, options: { out?: string; reporter?: string[] }): Promise<number> {
  const runDir = findRunFolder(run);
  const outDir = options.out === undefined ? runDir : resolve(options.out);
  mkdirSync(outDir, { recursive: true });
  return judgeAndReport(runDir, outDir, options.reporter, []);
}
