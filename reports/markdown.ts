import type { Finding } from '../harness/spi/check.ts';
import type { Report, Reporter } from '../harness/spi/reporter.ts';
import { writeWhole } from './write-file.ts';

/** `report.md`: the verdict and the findings, short enough for a pull request's comment. */
export const markdownReporter: Reporter = {
  name: 'markdown',
  write: async (report, _view, outDir) => [writeWhole(outDir, 'report.md', renderMarkdown(report))],
};

const MARK = { pass: '✅ pass', fail: '❌ fail', unknown: '❔ unknown' } as const;

export function renderMarkdown(report: Report): string {
  const counted = report.findings.filter(({ advisory }) => !advisory);
  const shown = report.findings.filter(({ advisory }) => advisory);
  return [
    `# ${MARK[report.verdict]}: ${text(report.plan.name)}`,
    '',
    `> ${text(report.plan.hypothesis)}`,
    '',
    text(report.summary),
    '',
    ...counted.map(line),
    ...(shown.length === 0
      ? []
      : ['', '<details><summary>Shown, not counted</summary>', '', ...shown.map(line), '', '</details>']),
    ...report.leftovers.map((what) => `- **left unhealed**: ${text(what)}; run \`seawall heal ${text(report.runId)}\``),
    '',
    `Run ${text(report.runId)} · seed ${report.seed} · ${text(report.runtime)} · exit code ${report.exitCode}`,
    '',
  ].join('\n');
}

function line(finding: Finding): string {
  return `- ${MARK[finding.verdict]} **${text(finding.check)}** ${text(finding.scope)}: ${text(finding.because)}`;
}

/** Names and answers come from outside: nothing in them may become markup. */
function text(value: string): string {
  return value
    .replaceAll(/\s+/g, ' ')
    .replaceAll('&', '&amp;')
    .replaceAll('<', '&lt;')
    .replaceAll(/[\\`*_[\]|#@!]/g, (mark) => `\\${mark}`);
}
