import type { Report, Reporter } from '../harness/spi/reporter.ts';
import { writeWhole } from './write-file.ts';

/** `report.json`: the report as it is, for programs. */
export const jsonReporter: Reporter = {
  name: 'json',
  write: async (report, _view, outDir) => [writeWhole(outDir, 'report.json', renderJson(report))],
};

export function renderJson(report: Report): string {
  return `${JSON.stringify(report, undefined, 2)}\n`;
}
