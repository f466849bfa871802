import type { ReportFault } from '../../harness/spi/reporter.ts';
import { type Frame, faultBands, figure, timeAxis, valueAxis } from './chart-frame.ts';
import { latency, time } from './format.ts';
import { html, type Markup } from './markup.ts';
import { linear, logarithmic, niceTicks, PLOT, px, type Scale } from './scale.ts';
import type { Point, Series } from './series.ts';

const RATE = { top: 14, bottom: 176, height: 202 };
const LATENCY = { top: 14, bottom: 196, height: 222 };
/** One bad journey among hundreds must still be seen. */
const BAD_PX_MIN = 3;
const LANE = { top: 8, height: 30, labelGap: 8 };

/** Journeys per second by intended start: good below, bad (hatched) on top. */
export function rateChart(series: Series, faults: readonly ReportFault[], frame: Frame, id: string): Markup {
  const most = Math.max(1, ...series.points.map(({ good, bad }) => good + bad));
  const ticks = niceTicks(most, 4);
  const y = linear(ticks.at(-1)!, RATE.bottom, RATE.top);
  const good = steps(series.points, frame.x, (point) => [y(0), y(point.good)]);
  const bad = steps(
    series.points.filter((point) => point.bad > 0),
    frame.x,
    (point) => [y(point.good), Math.min(y(point.good + point.bad), y(point.good) - BAD_PX_MIN)],
  );
  const title = `${series.scenario}: journeys per second, good and bad, over time`;
  return figure(
    id,
    title,
    RATE.height,
    html`${faultBands(faults, frame, RATE.top, RATE.bottom)}${valueAxis(
      ticks.map((value) => ({ value, text: `${value}/s` })),
      y,
    )}<path class="good" d="${good}"/><path class="top" d="${ridge(series.points, frame.x, y)}"/>${bad === '' ? undefined : html`<path class="bad" d="${bad}"/>`}${timeAxis(frame, RATE.bottom)}`,
  );
}

/** Latency from the scheduled start on a logarithmic axis: p50 drawn through, p99 dashed, the deadline as a line. */
export function latencyChart(series: Series, faults: readonly ReportFault[], frame: Frame, id: string): Markup {
  const values = series.points.flatMap(({ p50Ms, p99Ms }) => [p50Ms, p99Ms]).filter((value) => value !== undefined);
  const domain = logDomain([...values, ...(series.deadlineMs === undefined ? [] : [series.deadlineMs])]);
  const y = logarithmic(domain, LATENCY.bottom, LATENCY.top);
  const ticks = logTicks(domain).map((value) => ({ value, text: latency(value) }));
  const title = `${series.scenario}: latency from the scheduled start, p50 and p99, over time`;
  return figure(
    id,
    title,
    LATENCY.height,
    html`${faultBands(faults, frame, LATENCY.top, LATENCY.bottom)}${valueAxis(ticks, y)}${deadlineLine(series.deadlineMs, y)}<path class="p99" d="${curve(series.points, frame.x, y, 'p99Ms')}"/><path class="p50" d="${curve(series.points, frame.x, y, 'p50Ms')}"/>${timeAxis(frame, LATENCY.bottom)}`,
  );
}

/** One lane a fault: commanded, bitten, held, reverting (hatched) until healed, and where users were served again. */
export function faultChart(faults: readonly ReportFault[], frame: Frame, id: string): Markup {
  const shown = faults.filter(({ commandedMs }) => commandedMs !== undefined);
  const bottom = LANE.top + LANE.height * shown.length;
  const lanes = shown.map((fault, index) => lane(fault, frame, LANE.top + LANE.height * index));
  return figure(
    id,
    `Faults over time: ${shown.map(({ name }) => name).join(', ')}`,
    bottom + 26,
    html`${lanes}${timeAxis(frame, bottom + 2)}`,
  );
}

function lane(fault: ReportFault, { x, endMs }: Frame, top: number): Markup {
  const at = (ms: number): number => x(Math.min(ms, endMs));
  const from = at(fault.commandedMs!);
  const bitten = at(fault.bittenMs ?? fault.commandedMs!);
  const reverting = at(fault.revertingMs ?? fault.healedMs ?? endMs);
  const healed = at(fault.healedMs ?? endMs);
  const bar = (start: number, end: number, kind: string): Markup =>
    html`<rect class="${kind}" x="${px(start)}" y="${px(top + 5)}" width="${px(Math.max(1.5, end - start))}" height="16" rx="2"/>`;
  const recovered = fault.recoveredMs;
  const mark =
    recovered === undefined
      ? undefined
      : html`<path class="diamond" d="M${px(at(recovered))} ${px(top + 3)}l6 10l-6 10l-6 -10z"><title>served again at ${time(recovered)}</title></path>`;
  const name = `${fault.name} (${fault.kind}, ${fault.target})`;
  const before = from > 420;
  const label = before
    ? html`<text class="lane end" x="${px(from - LANE.labelGap)}" y="${px(top + 17)}">${name}</text>`
    : html`<text class="lane" x="${px(Math.max(healed, at(recovered ?? 0)) + LANE.labelGap)}" y="${px(top + 17)}">${name}</text>`;
  return html`<g><title>${name}: commanded ${time(fault.commandedMs)}, bit ${time(fault.bittenMs)}, reverted ${time(fault.revertingMs)}, healed ${time(fault.healedMs)}</title>${bar(from, bitten, 'lane-wait')}${bar(bitten, reverting, 'lane-held')}${
    reverting < healed ? bar(reverting, healed, 'lane-revert') : undefined
  }${mark}${label}</g>`;
}

function steps(points: readonly Point[], x: Scale, span: (point: Point) => [number, number]): string {
  return points
    .map((point) => {
      const [low, high] = span(point);
      return `M${px(x(point.fromMs))} ${px(low)}V${px(high)}H${px(x(point.toMs))}V${px(low)}Z`;
    })
    .join('');
}

/** The upper edge of the good ones, stepping from second to second. */
function ridge(points: readonly Point[], x: Scale, y: Scale): string {
  const parts = points.map((point, index) => {
    const gap = points[index - 1]?.toMs !== point.fromMs;
    return `${gap ? `M${px(x(point.fromMs))} ${px(y(point.good))}` : `V${px(y(point.good))}`}H${px(x(point.toMs))}`;
  });
  return parts.join('');
}

function curve(points: readonly Point[], x: Scale, y: Scale, key: 'p50Ms' | 'p99Ms'): string {
  let down = false;
  let path = '';
  for (const point of points) {
    const value = point[key];
    if (value !== undefined) path += `${down ? 'L' : 'M'}${px(x((point.fromMs + point.toMs) / 2))} ${px(y(value))}`;
    down = value !== undefined;
  }
  return path;
}

function deadlineLine(deadlineMs: number | undefined, y: Scale): Markup | undefined {
  if (deadlineMs === undefined) return undefined;
  const at = y(deadlineMs);
  return html`<line class="deadline" x1="${PLOT.left}" x2="${PLOT.right}" y1="${px(at)}" y2="${px(at)}"/><text class="label end" x="${PLOT.right}" y="${px(at - 5)}">deadline ${latency(deadlineMs)}</text>`;
}

function logDomain(values: readonly number[]): [number, number] {
  const positive = values.filter((value) => value > 0);
  if (positive.length === 0) return [1, 1000];
  const low = 10 ** Math.floor(Math.log10(Math.min(...positive)));
  const high = Math.max(...positive) * 1.35;
  return [low, Math.max(high, low * 10)];
}

function logTicks([low, high]: [number, number]): number[] {
  const decades = Math.log10(high / low);
  const factors = decades > 3 ? [1] : decades > 1.7 ? [1, 3] : [1, 2, 5];
  const ticks: number[] = [];
  for (let power = low; power <= high; power *= 10) {
    ticks.push(...factors.map((factor) => factor * power).filter((value) => value <= high));
  }
  return ticks;
}
