import type { Finding, Verdict } from '../../harness/spi/check.ts';
import { count, lines, measured } from './format.ts';
import { gauge } from './gauge.ts';
import { html, type Markup } from './markup.ts';

export const MARKS: Record<Verdict, string> = { pass: '✓', fail: '✕', unknown: '?' };

/** A judged finding with the advisory ones that split it. */
interface Group {
  main: Finding;
  parts: Finding[];
}

/** The counted findings first, worst first; then what is only shown. */
export function findingsSection(findings: readonly Finding[]): Markup {
  const groups = grouped(findings);
  const rank: Record<Verdict, number> = { fail: 0, unknown: 1, pass: 2 };
  const counted = groups
    .filter(({ main }) => !main.advisory)
    .toSorted((a, b) => rank[a.main.verdict] - rank[b.main.verdict]);
  const shown = groups.filter(({ main }) => main.advisory);
  return html`<section aria-labelledby="findings"><h2 id="findings">Findings</h2>
${counted.length === 0 ? html`<p class="quiet">Nothing was judged.</p>` : html`<ol class="findings">${counted.map(item)}</ol>`}
${shown.length === 0 ? undefined : html`<details class="shown"><summary>Shown, not counted (${shown.length})</summary><ol class="findings">${shown.map(item)}</ol></details>`}
</section>`;
}

function grouped(findings: readonly Finding[]): Group[] {
  const groups: Group[] = [];
  for (const finding of findings) {
    const owner = groups.at(-1);
    const isPart =
      finding.advisory && owner?.main.check === finding.check && finding.scope.startsWith(`${owner.main.scope}, `);
    if (isPart) owner.parts.push(finding);
    else groups.push({ main: finding, parts: [] });
  }
  return groups;
}

function item({ main, parts }: Group): Markup {
  return html`<li class="finding ${main.verdict}${main.advisory ? ' advisory' : ''}">
${chip(main.verdict)}
<div class="body"><h3><span class="kind">${main.check}</span> ${main.scope}</h3>
<p>${main.because}</p>
<p class="evidence">${evidence(main)}</p>
${parts.length === 0 ? undefined : html`<details><summary>Split by part and by second</summary>${partsTable(parts)}</details>`}
</div>
<div class="picture">${gauge(main)}</div>
</li>`;
}

export function chip(verdict: Verdict): Markup {
  return html`<span class="chip ${verdict}"><span aria-hidden="true">${MARKS[verdict]}</span> ${verdict}</span>`;
}

function evidence({ sampleCount, basis, evidence: seqs, claim }: Finding): string {
  const samples = sampleCount > 0 ? [`${count(sampleCount)} ${basis === 'trials' ? 'counted, one trial' : basis}`] : [];
  const from = seqs.length === 0 ? [] : [`journal ${seqs.length === 1 ? 'line' : 'lines'} ${lines(seqs)}`];
  return [`Claim: ${claim}`, ...samples, ...from].join(' · ');
}

function partsTable(parts: readonly Finding[]): Markup {
  const rows = parts.map(
    ({ scope, measured: value, sampleCount, basis, because }) =>
      html`<tr><th scope="row">${scope.split(', ').slice(1).join(', ')}</th><td class="n">${measured(value.value, value.unit)}</td><td class="n">${value.low === undefined ? '–' : measured(value.low, value.unit)}</td><td class="n">${value.high === undefined ? '–' : measured(value.high, value.unit)}</td><td class="n">${count(sampleCount)} ${basis}</td><td>${because}</td></tr>`,
  );
  return html`<div class="scroll"><table><thead><tr><th scope="col">part</th><th scope="col" class="n">good</th><th scope="col" class="n">at least</th><th scope="col" class="n">at most</th><th scope="col" class="n">of</th><th scope="col">in words</th></tr></thead><tbody>${rows}</tbody></table></div>`;
}
