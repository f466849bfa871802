import { trusted } from './markup.ts';

/**
 * The crosshair: reads the figures under the pointer, or by arrow keys, out of the page's own data, across all charts at
 * once. The page says everything without it; printing opens what is folded.
 */
export const SCRIPT = trusted(`
(() => {
  const section = document.querySelector('.over-time');
  const readout = document.getElementById('readout');
  if (!section || !readout) return;
  const endMs = Number(section.dataset.end);
  const lines = [...section.querySelectorAll('.cross')];
  const charts = new Map([...section.querySelectorAll('.plots')].map((plots) => [plots, JSON.parse(document.getElementById(plots.dataset.series).textContent)]));
  const ms = (value) => value === null ? 'no sample' : value >= 1000 ? (value / 1000).toPrecision(3) + ' s' : Number(value.toPrecision(3)) + ' ms';
  const show = (plots, atMs) => {
    const { name, points } = charts.get(plots);
    const point = points.find(([from, to]) => atMs >= from && atMs < to);
    if (!point) return hide();
    const [from, to, good, bad, p50, p99] = point;
    plots.dataset.at = from;
    for (const line of lines) {
      const { left, right } = line.ownerSVGElement.dataset;
      const x = Number(left) + (Number(right) - Number(left)) * ((from + to) / 2) / endMs;
      line.setAttribute('x1', x); line.setAttribute('x2', x); line.style.visibility = 'visible';
    }
    readout.textContent = name + ' at ' + from / 1000 + ' s: ' + good + '/s good, ' + bad + '/s bad, p50 ' + ms(p50) + ', p99 ' + ms(p99);
    readout.hidden = false;
  };
  const hide = () => { readout.hidden = true; for (const line of lines) line.style.visibility = 'hidden'; };
  for (const plots of charts.keys()) {
    plots.addEventListener('pointermove', (event) => {
      const svg = event.target.closest('svg.chart');
      if (!svg) return hide();
      const box = svg.getBoundingClientRect();
      const x = (event.clientX - box.left) / box.width * svg.viewBox.baseVal.width;
      const { left, right } = svg.dataset;
      show(plots, (x - Number(left)) / (Number(right) - Number(left)) * endMs);
    });
    plots.addEventListener('pointerleave', hide);
    plots.addEventListener('blur', hide);
    plots.addEventListener('keydown', (event) => {
      const step = { ArrowLeft: -1, ArrowRight: 1 }[event.key];
      if (!step || event.target !== plots) return;
      event.preventDefault();
      const { points } = charts.get(plots);
      const now = points.findIndex(([from]) => from === Number(plots.dataset.at));
      const next = points[Math.min(points.length - 1, Math.max(0, now + step))];
      show(plots, next[0]);
    });
  }
  let opened = [];
  addEventListener('beforeprint', () => { opened = [...document.querySelectorAll('details:not([open]):not(.table)')]; for (const one of opened) one.open = true; });
  addEventListener('afterprint', () => { for (const one of opened) one.open = false; });
})();
`);
