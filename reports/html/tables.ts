import type { JournalView } from '../../harness/spi/journal.ts';
import type { StepFailure } from '../../harness/spi/load.ts';
import type { Report, ReportTotals, ReportTraffic } from '../../harness/spi/reporter.ts';
import { count, latency, time } from './format.ts';
import { html, type Markup } from './markup.ts';

type Cell = string | number | Markup;

/** A table with a caption; columns whose name starts with `#` hold numbers. */
function table(caption: string, columns: readonly string[], rows: readonly (readonly Cell[])[]): Markup {
  const numeric = columns.map((name) => name.startsWith('#'));
  const head = columns.map(
    (name, index) => html`<th scope="col" class="${numeric[index] ? 'n' : ''}">${name.replace(/^#/, '')}</th>`,
  );
  const body = rows.map(
    (cells) =>
      html`<tr>${cells.map((cell, index) => (index === 0 ? html`<th scope="row">${cell}</th>` : html`<td class="${numeric[index] ? 'n' : ''}">${cell}</td>`))}</tr>`,
  );
  return html`<div class="scroll"><table><caption>${caption}</caption><thead><tr>${head}</tr></thead><tbody>${body}</tbody></table></div>`;
}

export function faultsTable({ faults }: Report): Markup | undefined {
  if (faults.length === 0) return undefined;
  const rows = faults.map((fault) => [
    fault.name,
    `${fault.kind}, ${fault.target}`,
    time(fault.commandedMs),
    time(fault.bittenMs),
    time(fault.revertingMs),
    time(fault.healedMs),
    time(fault.recoveredMs),
    [fault.bite, fault.heal].filter(Boolean).join(' · '),
  ]);
  const columns = [
    'fault',
    'what',
    '#commanded',
    '#bitten',
    '#reverted',
    '#healed',
    '#served again',
    'proof of bite and heal',
  ];
  return html`<section aria-labelledby="faults"><h2 id="faults">Faults</h2>${table('Times from t = 0', columns, rows)}</section>`;
}

export function totalsTable({ totals }: Report): Markup {
  const columns = [
    'scenario',
    'journey',
    'step',
    '#scheduled',
    '#sent',
    '#good',
    '#bad',
    '#abandoned',
    '#left',
    '#p50',
    '#p99',
    '#p99.9',
    '#service p99',
  ];
  return html`<section aria-labelledby="totals"><h2 id="totals">Load</h2>${table('From t = 0; latency from the intended start', columns, totals.map(totalRow))}</section>`;
}

/** What the plan declared beside what was sent. */
export function trafficTable({ traffic }: Report): Markup | undefined {
  if (traffic.length === 0) return undefined;
  const shown = (value: number | undefined, unit: ReportTraffic['unit']): string => {
    if (value === undefined) return 'not declared';
    if (unit === 'ms') return latency(value);
    return unit === 'ratio' ? `${Number((value * 100).toFixed(2))} %` : `${Number(value.toPrecision(4))}/s`;
  };
  const rows = traffic.map(({ scenario, what, declared, measured, unit }) => [
    scenario,
    what,
    shown(declared, unit),
    shown(measured, unit),
  ]);
  const columns = ['scenario', 'what', '#declared', '#measured'];
  return html`<section aria-labelledby="traffic"><h2 id="traffic">Traffic</h2>${table('Declared by the plan, and sent from t = 0', columns, rows)}</section>`;
}

function totalRow(total: ReportTotals): Cell[] {
  const bad = Object.entries(total.bad).filter(([, value]) => value > 0);
  const badText = bad.length === 0 ? '0' : bad.map(([name, value]) => `${count(value)} ${name}`).join(', ');
  const isStep = total.step !== undefined;
  return [
    total.scenario,
    total.journey,
    total.step ?? (total.region === undefined ? html`<b>whole journey</b>` : `from ${total.region}`),
    isStep ? '' : count(total.scheduled),
    count(total.sent),
    count(total.good),
    badText,
    isStep ? count(total.abandoned) : '',
    isStep ? count(total.left) : '',
    latency(total.fromIntendedMs.p50),
    latency(total.fromIntendedMs.p99),
    latency(total.fromIntendedMs.p999),
    latency(total.serviceMs.p99),
  ];
}

/** What the stores said after the drain: acknowledged writes, invariants, leaks. */
export function auditSection(view: JournalView): Markup | undefined {
  const acks = view.of('audit.acks');
  const invariants = view.of('audit.invariant');
  const markers = view
    .of('audit.marker')
    .filter((event, index, all) => all.findLastIndex(({ store }) => store === event.store) === index);
  if (acks.length + invariants.length + markers.length === 0) return undefined;
  const ackRows = acks.map((row) => [
    row.journey,
    row.store,
    count(row.acked),
    count(row.found),
    count(row.missing),
    count(row.unknown),
    count(row.unknownKept),
    count(row.refused),
    row.missingKeys.slice(0, 10).join(', ') || '–',
  ]);
  const invariantRows = invariants.map((row) => [
    row.name,
    row.values.map(({ store, value }) => `${value} in ${store}`).join(', '),
    row.holds ? 'holds' : 'broken',
  ]);
  const markerRows = markers.map((row) => [
    row.store,
    count(row.realLeaks),
    count(row.shadowLeaks),
    count(row.shadowSeen),
    [...row.realRows, ...row.shadowRows].slice(0, 10).join(', ') || '–',
  ]);
  return html`<section aria-labelledby="audit"><h2 id="audit">In the stores, after the drain</h2>
${acks.length === 0 ? undefined : table('Acknowledged writes against rows; an unknown one is neither lost nor kept', ['journey', 'store', '#acknowledged', '#found', '#missing', '#unknown', '#of these stored', '#refused', 'missing keys'], ackRows)}
${invariants.length === 0 ? undefined : table('Invariants', ['invariant', 'values', 'result'], invariantRows)}
${markers.length === 0 ? undefined : table('Isolation, by the run’s marker in the data', ['store', '#shadow rows among real', '#real rows among shadow', '#shadow writes seen', 'rows'], markerRows)}
</section>`;
}

/** The first failed step of each class with its masked body. */
export function failuresSection(failures: readonly StepFailure[]): Markup | undefined {
  if (failures.length === 0) return undefined;
  const classes = Map.groupBy(
    failures,
    (failure) => `${failure.class}${failure.status === null ? '' : ` ${failure.status}`}`,
  );
  const items = [...classes].map(([name, members]) => {
    const first = members[0]!;
    const body = members.find((failure) => failure.body !== null && failure.body !== '');
    return html`<li><h3>${name} <span class="quiet">${count(members.length)} kept</span></h3>
<p>First: ${first.scenario}/${first.journey}, step ${first.step}, due at ${time(first.intendedMs)}, ended after ${latency(first.endedMs - first.intendedMs)}. <code>${first.traceparent}</code></p>
${body === undefined ? html`<p class="quiet">No answer had a body.</p>` : html`<pre>${body.body ?? ''}</pre>`}</li>`;
  });
  return html`<section aria-labelledby="failures"><h2 id="failures">Failed steps</h2><ul class="plain">${items}</ul></section>`;
}

/** Everything needed to run it again and to know what it ran on. */
export function aboutSection(report: Report): Markup {
  const facts: [string, string][] = [
    ['run', report.runId],
    ['seed', String(report.seed)],
    ['runtime', report.runtime],
    ['timeline digest', report.plan.digest],
    ['plan file', report.plan.file],
    ['started', report.startedAt],
    ['ended', report.endedAt],
    ...Object.entries(report.versions),
    ...Object.entries(report.machine).map(([name, value]): [string, string] => [
      name,
      typeof value === 'string' ? value : JSON.stringify(value),
    ]),
  ];
  const notes =
    report.notes.length === 0
      ? undefined
      : html`<section aria-labelledby="notes"><h2 id="notes">Notes</h2><ul class="notes">${report.notes.map((note) => html`<li>${note}</li>`)}</ul></section>`;
  return html`${notes}<section aria-labelledby="about"><h2 id="about">This run</h2><dl class="facts">${facts.map(([name, value]) => html`<div><dt>${name}</dt><dd>${value}</dd></div>`)}</dl></section>
<section aria-labelledby="plan"><h2 id="plan">The plan</h2><pre class="plan">${report.plan.text}</pre></section>`;
}
