/** What the plan language's quantities look like; each parser returns undefined for text that is not one. */
export const DURATION = /^(\d+(?:\.\d+)?)(ms|s|m|h)$/;
export const RATE = /^(\d+(?:\.\d+)?)(k|M)?\/(s|m|h)$/;
export const PERCENT = /^(\d{1,3})(?:\.(\d+))?%$/;
export const COUNT_TEXT = /^(\d+(?:\.\d+)?)(k|M)$/;
export const SIZE = /^(\d+(?:\.\d+)?)(B|KB|MB|GB)$/;
export const BANDWIDTH = /^(\d+(?:\.\d+)?)(KB|MB|GB|kbit|Mbit|Gbit)\/s$/;

const DURATION_MS = { ms: 1, s: 1000, m: 60_000, h: 3_600_000 } as const;
const SECONDS = { s: 1, m: 60, h: 3600 } as const;
const SCALE = { k: 1000, M: 1_000_000 } as const;
const BYTES_A_SECOND = { KB: 1e3, MB: 1e6, GB: 1e9, kbit: 125, Mbit: 125_000, Gbit: 125_000_000 } as const;
const BYTES = { B: 1, KB: 1000, MB: 1_000_000, GB: 1_000_000_000 } as const;

/** `150ms`, `2s`, `1.5m`, `1h` → ms. */
export function parseDuration(text: string): number | undefined {
  const match = DURATION.exec(text);
  return match === null ? undefined : Number(match[1]) * DURATION_MS[match[2] as keyof typeof DURATION_MS];
}

/** `250/s`, `2k/s`, `90/m` → per second. */
export function parseRate(text: string): number | undefined {
  const match = RATE.exec(text);
  if (match === null) return undefined;
  const scale = match[2] === undefined ? 1 : SCALE[match[2] as keyof typeof SCALE];
  return (Number(match[1]) * scale) / SECONDS[match[3] as keyof typeof SECONDS];
}

/** `250k`, `1.5M` → a whole number; a bare number is written as one. */
export function parseCount(text: string): number | undefined {
  const match = COUNT_TEXT.exec(text);
  if (match === null) return undefined;
  // Rounded: 1.1M is 1,100,000 and no fraction more.
  return Math.round(Number(match[1]) * SCALE[match[2] as keyof typeof SCALE]);
}

/** `99.99%` → the nearest double to the exact decimal, in [0, 1]. */
export function parsePercent(text: string): number | undefined {
  const match = PERCENT.exec(text);
  if (match === null) return undefined;
  const decimals = match[2] ?? '';
  const ratio = Number(`${match[1]}${decimals}`) / 10 ** (decimals.length + 2);
  return ratio <= 1 ? ratio : undefined;
}

/** `64KB` (1 KB = 1000 B) → bytes. */
export function parseSize(text: string): number | undefined {
  const match = SIZE.exec(text);
  return match === null ? undefined : Number(match[1]) * BYTES[match[2] as keyof typeof BYTES];
}

/** `10Mbit/s`, `1.25MB/s` (1 KB = 1000 B = 8 kbit) → bytes per second. */
export function parseBandwidth(text: string): number | undefined {
  const match = BANDWIDTH.exec(text);
  if (match === null) return undefined;
  return Number(match[1]) * BYTES_A_SECOND[match[2] as keyof typeof BYTES_A_SECOND];
}

/** The shortest exact reading: `150ms`, `1.5s`, `2m`. */
export function formatDuration(ms: number): string {
  if (ms !== 0 && ms % 60_000 === 0) return `${ms / 60_000}m`;
  if (ms >= 1000) return `${trim(ms / 1000, 3)}s`;
  return `${trim(ms, 2)}ms`;
}

/** `99.99%`, at most `digits` decimals, never rounded up to 100 % when it is not. */
export function formatPercent(ratio: number, digits = 4): string {
  const scaled = ratio * 100;
  const rounded = Number(scaled.toFixed(digits));
  const floor = Math.floor(scaled * 10 ** digits) / 10 ** digits;
  return `${rounded === 100 && ratio < 1 ? floor : rounded}%`;
}

const COUNT = new Intl.NumberFormat('en-US', { maximumFractionDigits: 2 });

/** `31,250`. */
export function formatCount(count: number): string {
  return COUNT.format(count);
}

function trim(value: number, digits: number): string {
  return String(Number(value.toFixed(digits)));
}
