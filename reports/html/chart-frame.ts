import type { ReportFault } from '../../harness/spi/reporter.ts';
import { html, type Markup, trusted } from './markup.ts';
import { linear, PLOT, px, type Scale, timeTicks } from './scale.ts';

/** Patterns that tell bad from good and a held fault from a reverting one without colour; once a page. */
export const PATTERNS = trusted(`<svg width="0" height="0" aria-hidden="true" class="defs"><defs>
<pattern id="hatch-bad" width="5" height="5" patternUnits="userSpaceOnUse" patternTransform="rotate(45)"><rect width="5" height="5" class="f-bad"/><rect width="1.6" height="5" class="f-paper"/></pattern>
<pattern id="hatch-revert" width="6" height="6" patternUnits="userSpaceOnUse" patternTransform="rotate(-45)"><rect width="6" height="6" class="f-fault-soft"/><rect width="2" height="6" class="f-fault"/></pattern>
</defs></svg>`);

export interface Frame {
  x: Scale;
  endMs: number;
}

export function frameFor(endMs: number): Frame {
  return { x: linear(endMs, PLOT.left, PLOT.right), endMs };
}

/** The x axis with its ticks, in seconds from t = 0. */
export function timeAxis({ x, endMs }: Frame, y: number): Markup {
  const ticks = timeTicks(endMs).map((ms) => {
    const at = px(x(ms));
    return html`<line class="tick" x1="${at}" x2="${at}" y1="${px(y)}" y2="${px(y + 4)}"/><text class="label mid" x="${at}" y="${px(y + 17)}">${ms / 1000}${ms === 0 ? '' : ' s'}</text>`;
  });
  return html`<line class="axis" x1="${PLOT.left}" x2="${PLOT.right}" y1="${px(y)}" y2="${px(y)}"/>${ticks}`;
}

/** Horizontal grid lines with their labels. */
export function valueAxis(ticks: readonly { value: number; text: string }[], y: Scale): Markup {
  return html`${ticks.map(({ value, text }) => {
    const at = y(value);
    return html`<line class="grid" x1="${PLOT.left}" x2="${PLOT.right}" y1="${px(at)}" y2="${px(at)}"/><text class="label end" x="${PLOT.left - 8}" y="${px(at + 4)}">${text}</text>`;
  })}`;
}

/** Faults as bands over a plot: held, then reverting until healed; with lines where they were commanded and recovered from. */
export function faultBands(faults: readonly ReportFault[], { x, endMs }: Frame, top: number, bottom: number): Markup {
  const band = (fromMs: number | undefined, toMs: number | undefined, kind: string): Markup | undefined => {
    if (fromMs === undefined || fromMs >= endMs) return undefined;
    const [from, to] = [x(fromMs), x(Math.min(toMs ?? endMs, endMs))];
    return html`<rect class="${kind}" x="${px(from)}" y="${px(top)}" width="${px(Math.max(1, to - from))}" height="${px(bottom - top)}"/>`;
  };
  const line = (ms: number | undefined, kind: string): Markup | undefined =>
    ms === undefined || ms > endMs
      ? undefined
      : html`<line class="${kind}" x1="${px(x(ms))}" x2="${px(x(ms))}" y1="${px(top)}" y2="${px(bottom)}"/>`;
  return html`${faults
    .filter(({ commandedMs }) => commandedMs !== undefined)
    .map(
      (fault) =>
        html`<g>${band(fault.commandedMs, fault.revertingMs ?? fault.healedMs, 'band-held')}${
          fault.revertingMs === undefined ? undefined : band(fault.revertingMs, fault.healedMs, 'band-revert')
        }${line(fault.commandedMs, 'mark-commanded')}${line(fault.recoveredMs, 'mark-recovered')}</g>`,
    )}`;
}

/** An SVG that screen readers take as one picture with a sentence; the figures are in the table behind it. */
export function figure(id: string, title: string, height: number, content: Markup): Markup {
  return html`<svg class="chart" id="${id}" viewBox="0 0 ${PLOT.width} ${height}" role="img" aria-label="${title}" data-left="${PLOT.left}" data-right="${PLOT.right}" data-height="${height}">${content}<line class="cross" x1="0" x2="0" y1="0" y2="${height - 24}"/></svg>`;
}
