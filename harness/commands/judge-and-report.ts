import { join } from 'node:path';
import { styleText } from 'node:util';
import { buildReport } from '../../reports/report.ts';
import { messageOf } from '../core/errors.ts';
import { fileLines } from '../core/file-lines.ts';
import { REPORTERS } from '../registry.ts';
import type { Finding, Verdict } from '../spi/check.ts';
import type { Report } from '../spi/reporter.ts';
import { judgeRun } from '../verify/judge.ts';
import { EXIT } from './exit.ts';
import { shown } from './plan-options.ts';

const COLOUR = { pass: 'green', fail: 'red', unknown: 'yellow' } as const;

/** Judges the run in `runDir` by its journal, writes the reports to `outDir`, tells the verdict, returns the exit code. */
export async function judgeAndReport(
  runDir: string,
  outDir: string,
  reporters: readonly string[] | undefined,
  leftovers: readonly string[],
): Promise<number> {
  const judged = judgeRun({ journal: fileLines(join(runDir, 'journal.ndjson')), leftovers });
  const report = buildReport(judged);
  const written: string[] = [];
  let broken = false;
  for (const reporter of REPORTERS.filter(({ name }) => reporters?.includes(name) ?? true)) {
    try {
      written.push(...((await reporter.write?.(report, judged.view, outDir, runDir)) ?? []));
    } catch (thrown) {
      // A broken reporter fails alone: the verdict stands and the others still write.
      broken = true;
      process.stderr.write(`reporter ${reporter.name}: ${messageOf(thrown)}\n`);
    }
  }
  process.stdout.write(describeReport(report, written));
  return broken && judged.exitCode === EXIT.pass ? EXIT.harness : judged.exitCode;
}

function describeReport(report: Report, written: readonly string[]): string {
  const counted = report.findings.filter((finding) => !finding.advisory);
  const advisory = report.findings.length - counted.length;
  const lines = [
    '',
    `${paint(report.verdict, ` ${report.verdict.toUpperCase()} `)} ${report.plan.name}: ${report.summary}`,
    '',
    ...counted.map(describeFinding),
    ...(advisory === 0 ? [] : [`  and ${advisory} advisory findings in the report`]),
    '',
    ...written.map((path) => `${/\.html$/.test(path) ? 'report: ' : '        '}${shown(path)}`),
    `exit ${report.exitCode}`,
    '',
  ];
  return lines.join('\n');
}

function describeFinding(finding: Finding): string {
  return `  ${paint(finding.verdict, finding.verdict.padEnd(7))} ${finding.check} ${finding.scope}: ${finding.because}`;
}

function paint(verdict: Verdict, text: string): string {
  return styleText(COLOUR[verdict], text, { stream: process.stdout });
}
