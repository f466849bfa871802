import { formatCount } from '../../harness/core/units.ts';

/** `1:05.3` after t = 0 as `65.3 s`; undefined as a dash. */
export function time(ms: number | undefined): string {
  return ms === undefined ? '–' : `${Number((ms / 1000).toFixed(1)).toFixed(1)} s`;
}

/** `12.3 ms`, `1.04 s`, in three figures. */
export function latency(ms: number | undefined): string {
  if (ms === undefined) return '–';
  if (ms >= 1000) return `${Number((ms / 1000).toPrecision(3))} s`;
  return `${Number(ms.toPrecision(3))} ms`;
}

/** A measured value with its unit, as a finding has it. */
export function measured(value: number, unit: string): string {
  if (unit === 'ratio') return `${Math.floor(value * 1e6 + 1e-7) / 1e4} %`;
  if (unit === 'ms') return latency(value);
  return `${formatCount(value)} ${unit}`;
}

/** `12, 40–45`: journal lines with runs of them drawn together. */
export function lines(numbers: readonly number[]): string {
  const runs: [number, number][] = [];
  for (const line of [...new Set(numbers)].toSorted((a, b) => a - b)) {
    const last = runs.at(-1);
    if (last !== undefined && line === last[1] + 1) last[1] = line;
    else runs.push([line, line]);
  }
  return runs.map(([from, to]) => (from === to ? String(from) : `${from}–${to}`)).join(', ');
}

export const count = formatCount;
