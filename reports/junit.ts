import type { Finding } from '../harness/spi/check.ts';
import type { Report, Reporter } from '../harness/spi/reporter.ts';
import { writeWhole } from './write-file.ts';

/**
 * `report.xml` in JUnit's form, one test case a finding. `failure` = fail; `error` = the harness failed, something was
 * left unhealed, or the run was interrupted; `skipped` = unknown, and every advisory finding whatever it says, with the
 * sentence as its message. A CI that must not go green on unknown looks at the exit code (2).
 */
export const junitReporter: Reporter = {
  name: 'junit',
  write: async (report, _view, outDir) => [writeWhole(outDir, 'report.xml', renderJunit(report))],
};

export function renderJunit(report: Report): string {
  const cases = [...report.findings.map(findingCase), ...troubleCases(report)];
  const count = (kind: string): number => cases.filter((one) => one.kind === kind).length;
  const seconds = (Date.parse(report.endedAt) - Date.parse(report.startedAt)) / 1000;
  const totals = `tests="${cases.length}" failures="${count('failure')}" errors="${count('error')}" skipped="${count('skipped')}" time="${seconds.toFixed(3)}"`;
  const properties = {
    runId: report.runId,
    verdict: report.verdict,
    seed: report.seed,
    runtime: report.runtime,
    digest: report.plan.digest,
  };
  return [
    '<?xml version="1.0" encoding="UTF-8"?>',
    `<testsuites name="seawall" ${totals}>`,
    `  <testsuite name="${xml(report.plan.name)}" ${totals} timestamp="${xml(report.startedAt.slice(0, 19))}">`,
    '    <properties>',
    ...Object.entries(properties).map(
      ([name, value]) => `      <property name="${name}" value="${xml(String(value))}"/>`,
    ),
    '    </properties>',
    ...cases.map(({ text }) => text),
    `    <system-out>${xml(report.summary)}</system-out>`,
    '  </testsuite>',
    '</testsuites>',
    '',
  ].join('\n');
}

interface Case {
  kind: 'passed' | 'failure' | 'error' | 'skipped';
  text: string;
}

function findingCase(finding: Finding): Case {
  const { check, scope, because, advisory, verdict } = finding;
  const kind = advisory || verdict === 'unknown' ? 'skipped' : verdict === 'fail' ? 'failure' : 'passed';
  const message = advisory ? `advisory, ${verdict}: ${because}` : because;
  return caseOf(kind, check, `${scope}: ${finding.claim}`, message, finding.evidence);
}

function troubleCases(report: Report): Case[] {
  const { error, leftovers, outcome } = report;
  return [
    ...(error === undefined ? [] : [caseOf('error', 'harness', error.code, `${error.message} ${error.hint}`, [])]),
    ...leftovers.map((what) => caseOf('error', 'leftover', what, `left unhealed: seawall heal ${report.runId}`, [])),
    ...(outcome === 'interrupted' ? [caseOf('error', 'run', 'interrupted', 'the run was interrupted', [])] : []),
  ];
}

function caseOf(kind: Case['kind'], group: string, name: string, message: string, evidence: number[]): Case {
  const open = `    <testcase classname="seawall.${xml(group)}" name="${xml(name)}"`;
  if (kind === 'passed')
    return { kind, text: `${open}>\n      <system-out>${xml(message)}</system-out>\n    </testcase>` };
  const lines = evidence.length === 0 ? '' : `journal lines ${evidence.join(', ')}`;
  const inner =
    kind === 'skipped'
      ? `<skipped message="${xml(message)}"/>`
      : `<${kind} message="${xml(message)}">${xml(lines)}</${kind}>`;
  return { kind, text: `${open}>\n      ${inner}\n    </testcase>` };
}

/** Escaped for text and attributes; characters that XML 1.0 cannot hold become U+FFFD. */
function xml(text: string): string {
  return (
    text
      .toWellFormed()
      // biome-ignore lint/suspicious/noControlCharactersInRegex: these are what XML forbids
      .replace(/[\u0000-\u0008\u000b\u000c\u000e-\u001f\ufffe\uffff]/g, '\ufffd')
      .replaceAll('&', '&amp;')
      .replaceAll('<', '&lt;')
      .replaceAll('>', '&gt;')
      .replaceAll('"', '&quot;')
      .replaceAll('\n', '&#10;')
      .replaceAll('\r', '&#13;')
      .replaceAll('\t', '&#9;')
  );
}
