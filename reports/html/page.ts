import type { JournalView } from '../../harness/spi/journal.ts';
import type { StepFailure } from '../../harness/spi/load.ts';
import type { Report } from '../../harness/spi/reporter.ts';
import { PATTERNS } from './chart-frame.ts';
import { findingsSection, MARKS } from './findings.ts';
import { count, time } from './format.ts';
import { html, type Markup } from './markup.ts';
import { overTimeSection } from './over-time.ts';
import { SCRIPT } from './script.ts';
import { seriesOf } from './series.ts';
import { STYLE } from './style.ts';
import { aboutSection, auditSection, failuresSection, faultsTable, totalsTable, trafficTable } from './tables.ts';

/** The policy under which the page runs: nothing is loaded, nothing is sent. */
const POLICY =
  "default-src 'none'; style-src 'unsafe-inline'; script-src 'unsafe-inline'; base-uri 'none'; form-action 'none'";

/** One self-contained page: opens from disk, loads nothing, readable without its script. */
export function renderHtml(report: Report, view: JournalView, failures: readonly StepFailure[]): string {
  const page = html`<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="${POLICY}">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<meta name="generator" content="Seawall">
<title>${report.verdict}: ${report.plan.name} · Seawall</title>
<style>${STYLE}</style>
</head>
<body>
<a class="skip" href="#findings">To the findings</a>
${PATTERNS}
<main>
${verdictHeader(report)}
${trouble(report)}
${findingsSection(report.findings)}
${overTimeSection(report, seriesOf(view))}
${faultsTable(report)}
${auditSection(view)}
${failuresSection(failures)}
${totalsTable(report)}
${trafficTable(report)}
${aboutSection(report)}
</main>
<footer>Written by Seawall from the run’s journal. <code>seawall report ${report.runId}</code> judges it again.</footer>
<script>${SCRIPT}</script>
</body>
</html>
`;
  return page.toString();
}

function verdictHeader(report: Report): Markup {
  const { verdict, plan, summary, totals, faults } = report;
  const journeys = totals.filter(({ step }) => step === undefined);
  const sent = journeys.reduce((sum, total) => sum + total.sent, 0);
  const good = journeys.reduce((sum, total) => sum + total.good, 0);
  const lasted = Date.parse(report.endedAt) - Date.parse(report.startedAt);
  const facts: [string, string][] = [
    ['journeys sent', count(sent)],
    ['good', count(good)],
    ['faults injected', count(faults.filter(({ commandedMs }) => commandedMs !== undefined).length)],
    ['lasted', time(lasted)],
    ['seed', String(report.seed)],
    ['runtime', report.runtime],
    ['exit code', String(report.exitCode)],
  ];
  return html`<header class="verdict ${verdict}">
<p class="brand">Seawall · ${report.startedAt.slice(0, 10)} ${report.startedAt.slice(11, 16)} UTC</p>
<h1><span class="badge"><span aria-hidden="true">${MARKS[verdict]}</span> ${verdict}</span> ${plan.name}</h1>
<p class="hypothesis">${plan.hypothesis}</p>
<p class="summary">${summary}</p>
<dl class="figures">${facts.map(([name, value]) => html`<div><dt>${name}</dt><dd>${value}</dd></div>`)}</dl>
</header>`;
}

function trouble({ error, leftovers, outcome, runId }: Report): Markup | undefined {
  if (error === undefined && leftovers.length === 0 && outcome === 'completed') return undefined;
  const parts = [
    leftovers.length === 0
      ? undefined
      : html`<p><b>Left unhealed:</b> ${leftovers.join(', ')}. Run <code>seawall heal ${runId}</code>.</p>`,
    error === undefined ? undefined : html`<p><b>${error.code}</b>: ${error.message}. ${error.hint}</p>`,
    outcome === 'interrupted' ? html`<p>The run was interrupted.</p>` : undefined,
    outcome === 'aborted' ? html`<p>The guard ended the run before its plan did.</p>` : undefined,
  ];
  return html`<section class="trouble" role="alert">${parts}</section>`;
}
