import type { Finding } from '../../harness/spi/check.ts';
import { latency, measured } from './format.ts';
import { html, type Markup } from './markup.ts';
import { linear, px, type Scale } from './scale.ts';

const WIDTH = 220;
const EDGE = 8;
/** Nearer than this to an end, the end's own label gives way to what was asked. */
const LABEL_ROOM = 62;

/** The measured value with its bounds against what was asked, as a small picture; undefined for what is no scale. */
export function gauge({ measured: value, threshold, sampleCount }: Finding): Markup | undefined {
  if (threshold === undefined || value.unit !== threshold.unit || sampleCount === 0) return undefined;
  const span = { low: value.low ?? value.value, value: value.value, high: value.high ?? value.value };
  if (value.unit === 'ratio') return draw(nines, span, threshold.value, ['90 %', '99.999 %'], value.unit);
  if (value.unit !== 'ms') return undefined;
  const most = Math.max(threshold.value, span.high) * 1.25;
  return draw(linear(most, EDGE, WIDTH - EDGE), span, threshold.value, ['0', latency(most)], value.unit);
}

/** 90 %, 99 %, 99.9 % … at equal distances. */
function nines(ratio: number): number {
  const count = Math.min(5, Math.max(1, -Math.log10(Math.max(1e-9, 1 - ratio))));
  return EDGE + ((WIDTH - 2 * EDGE) * (count - 1)) / 4;
}

interface Span {
  low: number;
  value: number;
  high: number;
}

function draw(x: Scale, span: Span, asked: number, ends: [string, string], unit: string): Markup {
  const bounds = span.low === span.high ? '' : `, between ${measured(span.low, unit)} and ${measured(span.high, unit)}`;
  const text = `measured ${measured(span.value, unit)}${bounds}; asked ${measured(asked, unit)}`;
  const at = x(asked);
  const [left, right] = [at > EDGE + LABEL_ROOM, at < WIDTH - EDGE - LABEL_ROOM];
  const anchor = right ? (left ? 'mid' : '') : 'end';
  const labelAt = right ? (left ? at : Math.max(at, EDGE)) : Math.min(WIDTH - EDGE, at + 30);
  return html`<svg class="gauge" viewBox="0 0 ${WIDTH} 38" role="img" aria-label="${text}"><title>${text}</title><line class="axis" x1="${EDGE}" x2="${WIDTH - EDGE}" y1="12" y2="12"/><rect class="span" x="${px(x(span.low))}" y="8" width="${px(Math.max(2, x(span.high) - x(span.low)))}" height="8" rx="4"/><circle class="dot" cx="${px(x(span.value))}" cy="12" r="4.5"/><path class="asked" d="M${px(at)} 3V21"/><text class="label strong ${anchor}" x="${px(labelAt)}" y="34">${measured(asked, unit)}</text>${left ? html`<text class="label" x="${EDGE}" y="34">${ends[0]}</text>` : undefined}${right ? html`<text class="label end" x="${WIDTH - EDGE}" y="34">${ends[1]}</text>` : undefined}</svg>`;
}
