export const MONTHS = ['Jan', 'Feb', 'Mar', 'Apr', 'May', 'Jun', 'Jul', 'Aug', 'Sep', 'Oct', 'Nov', 'Dec'];
const ZERO = 48;
const POINT = 46;
const COMMA = 44;
const MINUTE_MS = 60_000;

/** Epoch ms, NaN when it is not a time, and whether the text told less than a second. */
export interface LogTime {
  ms: number;
  wholeSecond: boolean;
}

/** Reads a time that stands in `line` from `start` to `end`. */
export type TimeReader = (line: string, start: number, end: number, into: LogTime) => void;

/** `21/Nov/2026:20:34:23 +0000`, and HAProxy's `21/Nov/2026:20:34:23.123` (without a zone: UTC). */
export function clfTime(): TimeReader {
  return remembering('21/Nov/2026:20:34:23'.length, (text) => {
    const parts = /^(\d\d)\/([A-Z][a-z]{2})\/(\d{4}):(\d\d):(\d\d):(\d\d)(?: ([+-]\d{4}))?$/.exec(text);
    if (parts === null) return Number.NaN;
    const [, day, month, year, hour, minute, second, zone] = parts;
    const number = MONTHS.indexOf(month!);
    if (number === -1) return Number.NaN;
    return Date.UTC(Number(year), number, Number(day), Number(hour), Number(minute), Number(second)) - zoneMs(zone);
  });
}

/** `2026-11-21T20:34:23.123Z`, with a comma or a space for point and T, and a zone as `+01:00` or `+0100`. */
export function isoTime(): TimeReader {
  return remembering('2026-11-21T20:34:23'.length, (text) => {
    const parts = /^(\d{4})-(\d\d)-(\d\d)[T ](\d\d):(\d\d):(\d\d)(Z|[+-]\d\d:?\d\d)?$/.exec(text);
    if (parts === null) return Number.NaN;
    const [, year, month, day, hour, minute, second, zone] = parts;
    const utc = Date.UTC(Number(year), Number(month) - 1, Number(day), Number(hour), Number(minute), Number(second));
    return utc - zoneMs(zone);
  });
}

/** `1763757263.123`: seconds since the epoch (`perSecond` 1), or whole ms (1000) or µs (1,000,000). */
export function epochTime(perSecond: number): TimeReader {
  return (line, start, end, into) => {
    const ms = decimal(line, start, end) * (1000 / perSecond);
    // A decimal fraction of seconds is not exact in binary; logs have whole µs at most.
    into.ms = Math.round(ms * 1000) / 1000;
    const point = line.indexOf('.', start);
    into.wholeSecond = perSecond === 1 && (point === -1 || point >= end);
  };
}

/** `+0100`, `-05:30`, `Z`, or none: UTC. */
export function zoneMs(zone: string | undefined): number {
  if (zone === undefined || zone === 'Z') return 0;
  const minutes = Number(zone.slice(1, 3)) * 60 + Number(zone.slice(-2));
  return (zone.startsWith('-') ? -minutes : minutes) * MINUTE_MS;
}

/** A plain decimal number, NaN for anything else. */
export function decimal(line: string, start: number, end: number): number {
  let value = 0;
  let scale = 0;
  if (start >= end) return Number.NaN;
  for (let at = start; at < end; at++) {
    const digit = line.charCodeAt(at) - ZERO;
    if (digit >= 0 && digit <= 9) {
      value = value * 10 + digit;
      if (scale > 0) scale *= 10;
    } else if (digit === POINT - ZERO && scale === 0 && end - start > 1) scale = 1;
    else return Number.NaN;
  }
  return scale > 1 ? value / scale : value;
}

/**
 * Neighbouring lines mostly share their second: what stands before and behind the fraction is kept with its time.
 * `parse` gives the ms of a text without a fraction, NaN when it is no time.
 */
function remembering(wholeLength: number, parse: (text: string) => number): TimeReader {
  let lastWhole = '';
  let lastZone = '';
  let lastMs = Number.NaN;
  return (line, start, end, into) => {
    let at = start + wholeLength;
    let fraction = 0;
    let unit = 1000;
    const code = line.charCodeAt(at);
    into.wholeSecond = !(at < end && (code === POINT || code === COMMA));
    if (!into.wholeSecond) {
      for (at++; at < end; at++) {
        const digit = line.charCodeAt(at) - ZERO;
        if (!(digit >= 0 && digit <= 9)) break;
        unit /= 10;
        fraction += digit * unit;
      }
    }
    const known = lastWhole !== '' && line.startsWith(lastWhole, start) && line.startsWith(lastZone, at);
    if (!known || at + lastZone.length !== end) {
      lastWhole = detached(line.slice(start, Math.min(end, start + wholeLength)));
      lastZone = detached(line.slice(at, end));
      lastMs = parse(lastWhole + lastZone);
    }
    into.ms = fraction === 0 ? lastMs : lastMs + Math.round(fraction * 1000) / 1000;
  };
}

/** A text of its own: a slice would keep its whole line in memory. */
export function detached(text: string): string {
  return Buffer.from(text, 'utf16le').toString('utf16le');
}
