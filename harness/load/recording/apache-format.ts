import { checkFormat, type FieldRole, type FormatPart, type LineFormat, partsOf } from './line-format.ts';
import { clfTime, epochTime } from './log-time.ts';
import { strftimeTime } from './strftime.ts';

const COMBINED = '%h %l %u %t "%r" %>s %b "%{Referer}i" "%{User-Agent}i"';

const NAMED: Record<string, string> = {
  combined: COMBINED,
  common: '%h %l %u %t "%r" %>s %b',
  vhost_combined: '%v:%p %h %l %u %t "%r" %>s %O "%{Referer}i" "%{User-Agent}i"',
};

/** `%>s`, `%{User-Agent}i`, `%400,501{Referer}i`, `%{ms}T`. */
const DIRECTIVE = /%[!\d,]*[<>]?(?:\{([^}]*)\})?(\^t[io]|[a-zA-Z%])/g;

const UNITS_MS: Record<string, number> = { s: 1000, ms: 1, us: 0.001 };

/**
 * Apache's `LogFormat`: the string itself, the whole directive, or `combined`, `common`, `vhost_combined`. `%t` is when
 * the request came, unless it says `end:`.
 */
export function apacheFormat(text: string): LineFormat {
  const directive = /^\s*(?:LogFormat|CustomLog\s+\S+)\s+"((?:[^"\\]|\\.)*)"/.exec(text);
  const bare = (directive?.[1] ?? text).replaceAll('\\"', '"');
  const named = NAMED[bare.trim()];
  const format = (named ?? bare).replaceAll(/%[<>]?U%q/g, '%{path and query}U');
  return checkFormat({
    from: 'apache',
    title: `apache ${named === undefined ? 'format' : bare.trim()}`,
    parts: bracketed(partsOf(format, DIRECTIVE, partOf)),
    escapes: 'hex',
    stamped: /%\{end:/.test(format) ? 'end' : 'start',
    syslog: false,
  });
}

function partOf(match: RegExpMatchArray): FormatPart {
  const [whole, argument, letter] = match;
  return letter === '%' ? '%' : { name: whole, role: roleOf(letter!, argument) };
}

/** Plain `%t` brings its own brackets. */
function bracketed(parts: FormatPart[]): FormatPart[] {
  const open: FormatPart[] = [];
  const add = (part: FormatPart): void => {
    const last = open.at(-1);
    if (typeof part === 'string' && typeof last === 'string') open[open.length - 1] = last + part;
    else open.push(part);
  };
  for (const part of parts) {
    const plain = typeof part !== 'string' && part.name === '%t';
    if (plain) add('[');
    add(part);
    if (plain) add(']');
  }
  return open;
}

function roleOf(letter: string, argument: string | undefined): FieldRole {
  const named = argument?.toLowerCase() ?? '';
  switch (letter) {
    case 'h':
    case 'a':
      return { is: 'address' };
    case 't':
      return timeRole(argument);
    case 'r':
      return { is: 'request' };
    case 's':
      return { is: 'status' };
    case 'D':
      return { is: 'took', unitMs: 0.001 };
    case 'T':
      return { is: 'took', unitMs: UNITS_MS[named] ?? 1000 };
    case 'm':
      return { is: 'method' };
    case 'U':
      return { is: argument === undefined ? 'decodedPath' : 'path' };
    case 'q':
      return { is: 'query' };
    case 'v':
    case 'V':
      return { is: 'host' };
    case 'i':
      return named === 'host' ? { is: 'host' } : { is: 'header', name: named };
    case 'o':
      return { is: 'answerHeader', name: named };
    case 'C':
      return { is: 'cookie', name: argument! };
    default:
      return { is: 'skip' };
  }
}

function timeRole(argument: string | undefined): FieldRole {
  const format = argument?.replace(/^(?:begin|end):/, '') ?? '';
  switch (format) {
    case '':
      return { is: 'time', read: clfTime() };
    case 'sec':
      return { is: 'time', read: epochTime(1) };
    case 'msec':
      return { is: 'time', read: epochTime(1000) };
    case 'usec':
      return { is: 'time', read: epochTime(1_000_000) };
    case 'msec_frac':
      return { is: 'fraction', unitMs: 1 };
    case 'usec_frac':
      return { is: 'fraction', unitMs: 0.001 };
    case '%z':
      return { is: 'zone' };
    default:
      return { is: 'time', read: strftimeTime(format) };
  }
}
