import { HarnessError } from '../../core/errors.ts';
import { MONTHS, type TimeReader, zoneMs } from './log-time.ts';

const PIECES: Record<string, string> = {
  Y: '(?<year>\\d{4})',
  m: '(?<month>\\d\\d)',
  b: '(?<name>[A-Z][a-z]{2})',
  d: '(?<day>[\\d ]\\d)',
  H: '(?<hour>\\d\\d)',
  M: '(?<minute>\\d\\d)',
  S: '(?<second>\\d\\d)',
  z: '(?<zone>Z|[+-]\\d\\d:?\\d\\d)',
  s: '(?<epoch>\\d{1,12})',
  f: '(?<fraction>\\d{1,9})',
  '%': '%',
};

const SHORT: Record<string, string> = { '%F': '%Y-%m-%d', '%T': '%H:%M:%S', '%h': '%b', '%e': '%d' };

/** A time written by a strftime format. Directives other than those of date, time, zone, epoch and fraction: USAGE. */
export function strftimeTime(format: string): TimeReader {
  const long = format.replaceAll(/%[FThe]/g, (short) => SHORT[short]!);
  const seen = new Set<string>();
  const pattern = long.replaceAll(/%(\d?)([a-zA-Z%])|[^%]+/g, (whole, _digits: string | undefined, letter?: string) => {
    if (letter === undefined) return whole.replaceAll(/[\\^$.*+?()[\]{}|]/g, '\\$&');
    const piece = PIECES[letter];
    if (piece === undefined || (letter !== '%' && seen.has(letter))) throw unknown(format, whole);
    seen.add(letter);
    return piece;
  });
  const dated = seen.has('Y') && (seen.has('m') || seen.has('b')) && seen.has('d') && seen.has('H');
  if (!dated && !seen.has('s')) throw unknown(format, 'no full date and time');
  const regular = new RegExp(`^${pattern}$`);
  return (line, start, end, into) => {
    const groups = regular.exec(line.slice(start, end))?.groups;
    into.ms = Number.NaN;
    if (groups === undefined) return;
    const { fraction } = groups;
    into.ms = wholeSeconds(groups) + (fraction === undefined ? 0 : Math.round(Number(`0.${fraction}`) * 1e6) / 1000);
    into.wholeSecond = fraction === undefined;
  };
}

function wholeSeconds(groups: Record<string, string | undefined>): number {
  const { epoch, name, zone } = groups;
  const number = (name: string): number => Number(groups[name] ?? 0);
  if (epoch !== undefined) return number('epoch') * 1000;
  const month = name === undefined ? number('month') - 1 : MONTHS.indexOf(name);
  if (month < 0) return Number.NaN;
  const utc = Date.UTC(number('year'), month, number('day'), number('hour'), number('minute'), number('second'));
  return utc - zoneMs(zone);
}

function unknown(format: string, what: string): HarnessError {
  const hint = 'Known: %Y %m %b %d %e %H %M %S %z %s %F %T and %3f; dates need year, month, day and hour.';
  return new HarnessError('USAGE', `the time format ${JSON.stringify(format)} cannot be read: ${what}`, hint);
}
