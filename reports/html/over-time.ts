import type { Report } from '../../harness/spi/reporter.ts';
import { frameFor } from './chart-frame.ts';
import { faultChart, latencyChart, rateChart } from './charts.ts';
import { count, latency, time } from './format.ts';
import { html, jsonData, type Markup } from './markup.ts';
import type { Series } from './series.ts';

/** The charts, all on one time axis, each with its table behind it. */
export function overTimeSection(report: Report, series: readonly Series[]): Markup {
  const endMs = Math.max(1000, ...series.flatMap(({ points }) => points.map(({ toMs }) => toMs)));
  const frame = frameFor(endMs);
  const injected = report.faults.filter(({ commandedMs }) => commandedMs !== undefined);
  const lanes =
    injected.length === 0
      ? undefined
      : html`<figure class="lanes"><h3>Faults</h3><div class="scroll">${faultChart(injected, frame, 'chart-faults')}</div>${faultLegend()}</figure>`;
  return html`<section aria-labelledby="over-time" class="over-time" data-end="${endMs}"><h2 id="over-time">Over time</h2>
<p class="quiet">Seconds from t = 0, when warm-up and steady state were over. Each journey counts in the second in which it was due.</p>
${lanes}
${series.map((one, index) => scenarioCharts(one, injected, frame, index))}
<p class="readout" id="readout" aria-live="polite" hidden></p>
</section>`;
}

function scenarioCharts(
  one: Series,
  faults: Report['faults'],
  frame: ReturnType<typeof frameFor>,
  index: number,
): Markup {
  if (one.points.length === 0) return html`<h3>${one.scenario}</h3><p class="quiet">No load was sent after t = 0.</p>`;
  return html`<figure class="plots" tabindex="0" data-series="series-${index}" aria-label="${one.scenario} over time; left and right arrow keys read the figures">
<h3>${one.scenario} <span class="quiet">journeys per second</span></h3>
<div class="scroll">${rateChart(one, faults, frame, `chart-rate-${index}`)}</div>
<h3>${one.scenario} <span class="quiet">latency from the scheduled start</span></h3>
<div class="scroll">${latencyChart(one, faults, frame, `chart-latency-${index}`)}</div>
<figcaption class="legend"><span><i class="key good"></i>good</span><span><i class="key bad"></i>bad</span><span><i class="key line p50"></i>p50</span><span><i class="key line p99"></i>p99</span>${faults.length === 0 ? undefined : html`<span><i class="key held"></i>fault held</span><span><i class="key reverting"></i>reverting until healed</span><span><i class="key rule"></i>commanded</span><span><i class="key rule dashed"></i>served again</span>`}</figcaption>
${seriesTable(one)}
<script type="application/json" id="series-${index}">${jsonData({
    name: one.scenario,
    points: one.points.map(({ fromMs, toMs, good, bad, p50Ms, p99Ms }) => [
      fromMs,
      toMs,
      round(good),
      round(bad),
      round(p50Ms),
      round(p99Ms),
    ]),
  })}</script>
</figure>`;
}

function seriesTable({ scenario, points, bucketMs }: Series): Markup {
  const rows = points.map(
    (point) =>
      html`<tr><th scope="row">${time(point.fromMs)}</th><td class="n">${count(point.good)}</td><td class="n">${count(point.bad)}</td><td class="n">${count(point.notSent)}</td><td class="n">${latency(point.p50Ms)}</td><td class="n">${latency(point.p99Ms)}</td></tr>`,
  );
  return html`<details class="table"><summary>The figures of ${scenario} as a table (every ${bucketMs / 1000} s)</summary><div class="scroll tall"><table><caption>${scenario}: per second, by scheduled start</caption><thead><tr><th scope="col">from</th><th scope="col" class="n">good/s</th><th scope="col" class="n">bad/s</th><th scope="col" class="n">not sent/s</th><th scope="col" class="n">p50</th><th scope="col" class="n">p99</th></tr></thead><tbody>${rows}</tbody></table></div></details>`;
}

function faultLegend(): Markup {
  return html`<p class="legend"><span><i class="key waiting"></i>commanded, not yet bitten</span><span><i class="key held"></i>bitten and held</span><span><i class="key reverting"></i>reverting until proved healed</span><span><i class="key diamond"></i>users served again</span></p>`;
}

function round(value: number | undefined): number | null {
  return value === undefined ? null : Number(value.toPrecision(4));
}
