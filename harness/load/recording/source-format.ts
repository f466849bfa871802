import { HarnessError } from '../../core/errors.ts';
import { mask } from '../mask.ts';
import { AccessLogParser } from './access-log.ts';
import { apacheFormat } from './apache-format.ts';
import { envoyFormat } from './envoy-format.ts';
import { haproxyFormat } from './haproxy-format.ts';
import type { LineFormat } from './line-format.ts';
import { nginxFormat } from './nginx-format.ts';

export const SOURCES = ['nginx', 'apache', 'haproxy', 'envoy', 'har', 'gor'] as const;
export type SourceName = (typeof SOURCES)[number];

/** How a source is read: as a HAR, a GoReplay file, or an access log of a format. */
export type SourceFormat = { is: 'har' } | { is: 'gor' } | { is: 'log'; format: LineFormat };

const MOST_LINES = 50;
const HAR = /^[\s\uFEFF]*\{\s*"log"\s*:/;
const GOR = /^[123] \S+ \d{10,}(?: -?\d+)?\r?\n/;
const RECORDING = 'SEAWALLR';

/** Formats without a parameter that lines are tried against, the usual ones first. */
const KNOWN: Record<'nginx' | 'apache' | 'haproxy' | 'envoy', (() => LineFormat)[]> = {
  nginx: ['combined', 'main', 'common'].map((name) => () => nginxFormat(name)),
  apache: ['vhost_combined', 'combined', 'common'].map((name) => () => apacheFormat(name)),
  haproxy: [haproxyFormat],
  envoy: ['default', 'istio'].map((name) => () => envoyFormat(name)),
};

/** The format as the user gave it; undefined when it is to be told from the first bytes. */
export function givenFormat(from: SourceName | undefined, format: string | undefined): SourceFormat | undefined {
  if (from === 'har' || from === 'gor') {
    if (format === undefined) return { is: from };
    throw new HarnessError('USAGE', `--format says nothing about ${from}`, 'Leave --format out.');
  }
  if (format === undefined) return undefined;
  switch (from ?? serverOf(format)) {
    case 'apache':
      return { is: 'log', format: apacheFormat(format) };
    case 'envoy':
      return { is: 'log', format: envoyFormat(format) };
    case 'haproxy': {
      const hint = 'Leave --format out: lines of `option httplog` are read, a log-format of HAProxy is not.';
      throw new HarnessError('USAGE', '--format cannot be given for haproxy', hint);
    }
    default:
      return { is: 'log', format: nginxFormat(format) };
  }
}

/** Whose syntax a format string is in: `$variable`, `%OPERATOR%`, `%>s`. */
function serverOf(format: string): SourceName {
  if (/\$\w/.test(format)) return 'nginx';
  if (/%[A-Z][A-Z0-9_]+(?:\([^)]*\))?(?::\d+)?%/.test(format)) return 'envoy';
  return /%[!\d,]*[<>]?(?:\{[^}]*\})?[a-zA-Z]/.test(format) ? 'apache' : 'nginx';
}

/**
 * Tells a source's format from its first bytes: a HAR and a GoReplay file by their begin, an access log by the known
 * format that most of its first lines have. Throws IMPORT_UNRECOGNISED when none fits.
 */
export function detectFormat(name: string, start: Buffer, from: SourceName | undefined): SourceFormat {
  const text = start.toString('latin1', 0, 4096);
  if (start.length === 0) {
    throw new HarnessError('IMPORT_EMPTY', `${name} has no bytes`, 'Give a file with traffic in it.');
  }
  if (text.startsWith(RECORDING)) {
    const hint = 'Look at it with `seawall inspect`, or replay it.';
    throw new HarnessError('USAGE', `${name} is a recording already`, hint);
  }
  if (from === undefined && HAR.test(start.toString('utf8', 0, 4096))) return { is: 'har' };
  if (from === undefined && GOR.test(text)) return { is: 'gor' };
  if (from === 'har' || from === 'gor') return { is: from };
  const candidates = from === undefined ? Object.values(KNOWN).flat() : KNOWN[from];
  // Where the source was named, its usual format will do even when the first lines are no good.
  const best = bestOf(candidates, firstLines(start)) ?? (from === undefined ? undefined : candidates[0]!());
  if (best !== undefined) return { is: 'log', format: best };
  const known = `any known format (${SOURCES.join(', ')})`;
  const message = `the first lines of ${name} are not of ${known}; the first: ${JSON.stringify(firstLine(text))}`;
  const hint = "Give the log's format as it stands in the server's configuration: --format '$remote_addr …'.";
  throw new HarnessError('IMPORT_UNRECOGNISED', message, hint);
}

function bestOf(candidates: readonly (() => LineFormat)[], lines: readonly string[]): LineFormat | undefined {
  let best: LineFormat | undefined;
  let most = 0;
  for (const candidate of candidates) {
    const format = candidate();
    const parser = new AccessLogParser(format, { by: 'ip+ua' });
    const good = lines.filter((line) => typeof parser.parse(line, true) !== 'string').length;
    if (good > most) {
      most = good;
      best = format;
    }
  }
  return best;
}

function firstLines(start: Buffer): string[] {
  return start.toString('latin1').split(/\r?\n/, MOST_LINES);
}

function firstLine(text: string): string {
  return mask(text.split('\n', 1)[0]!).slice(0, 120);
}
