import type { Reporter } from '../harness/spi/reporter.ts';
import { readFailures } from './failures.ts';
import { renderHtml } from './html/page.ts';
import { writeWhole } from './write-file.ts';

/** `report.html`: one self-contained file for people. */
export const htmlReporter: Reporter = {
  name: 'html',
  write: async (report, view, outDir, runDir = outDir) => [
    writeWhole(outDir, 'report.html', renderHtml(report, view, readFailures(runDir))),
  ],
};
