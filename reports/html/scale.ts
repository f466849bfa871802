/** Where a chart's plot lies in its own coordinates; every chart of a page shares the x axis. */
export const PLOT = { width: 1000, left: 64, right: 988 } as const;

export type Scale = (value: number) => number;

export function linear(domainMax: number, from: number, to: number): Scale {
  return (value) => from + ((to - from) * value) / Math.max(domainMax, Number.MIN_VALUE);
}

export function logarithmic(domain: [number, number], from: number, to: number): Scale {
  const [low, high] = domain.map(Math.log10) as [number, number];
  return (value) => from + ((to - from) * (Math.log10(Math.max(value, domain[0])) - low)) / (high - low);
}

/** Round steps (1, 2, 5 × 10ⁿ), about `wanted` of them, from 0 to at least `max`. */
export function niceTicks(max: number, wanted: number): number[] {
  const raw = Math.max(max, 1e-9) / wanted;
  const power = 10 ** Math.floor(Math.log10(raw));
  const step = power * ([1, 2, 5, 10].find((factor) => factor * power >= raw) ?? 10);
  return Array.from({ length: Math.ceil(max / step - 1e-9) + 1 }, (_value, index) =>
    Number((index * step).toPrecision(12)),
  );
}

/** Ticks of a time axis in whole, familiar seconds; never past the end. */
export function timeTicks(endMs: number): number[] {
  const steps = [1, 2, 5, 10, 20, 30, 60, 120, 300, 600, 1200, 1800, 3600];
  const step = (steps.find((seconds) => endMs / (seconds * 1000) <= 13) ?? 3600) * 1000;
  return Array.from({ length: Math.floor(endMs / step) + 1 }, (_value, index) => index * step);
}

/** Rounded for a path: a tenth of a pixel is enough. */
export function px(value: number): string {
  return String(Number(value.toFixed(1)));
}
