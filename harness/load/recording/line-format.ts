import { HarnessError } from '../../core/errors.ts';
import type { TimeReader } from './log-time.ts';

/** What a field of an access log tells about the request. */
export type FieldRole =
  | { is: 'skip' }
  /** `port`: one always stands behind it. */
  | { is: 'address'; port?: true }
  /** Method, path and protocol in one. */
  | { is: 'request' }
  | { is: 'method' }
  /** Path and query as sent. */
  | { is: 'path' }
  /** The path as the server saw it, decoded and without its query. */
  | { is: 'decodedPath' }
  /** With or without its question mark. */
  | { is: 'query' }
  | { is: 'status' }
  | { is: 'took'; unitMs: number }
  /** HAProxy's `10/0/30/69/109`: the last is all of it, ms. */
  | { is: 'timers' }
  | { is: 'time'; read: TimeReader }
  /** Added to a time of whole seconds. */
  | { is: 'fraction'; unitMs: number }
  /** Of a time that stands apart from it. */
  | { is: 'zone' }
  | { is: 'host' }
  | { is: 'header'; name: string }
  | { is: 'answerHeader'; name: string }
  | { is: 'cookie'; name: string }
  | { is: 'body' };

export interface FormatField {
  /** As the format calls it, for people and `--session field:NAME`. */
  name: string;
  role: FieldRole;
}

/** What a line is made of: literal text and fields in turn. */
export type FormatPart = string | FormatField;

export interface LineFormat {
  /** `nginx`, `apache`, `haproxy`, `envoy`. */
  from: string;
  /** For people: `nginx combined`. */
  title: string;
  parts: readonly FormatPart[];
  /** How bytes are written that cannot stand as they are: `\x22`, JSON's `\"`, HAProxy's `#22`, or not at all. */
  escapes: 'hex' | 'json' | 'hash' | 'none';
  /** Whether the time is the request's start or its end. */
  stamped: 'start' | 'end';
  /** Whether a syslog header may stand before the line. */
  syslog: boolean;
}

/** Splits a format by a pattern for its fields. Two fields with nothing between them cannot be told apart: USAGE. */
export function partsOf(format: string, pattern: RegExp, field: (match: RegExpMatchArray) => FormatPart): FormatPart[] {
  const parts: FormatPart[] = [];
  let at = 0;
  for (const match of format.matchAll(pattern)) {
    addLiteral(parts, format.slice(at, match.index));
    const part = field(match);
    if (typeof part === 'string') addLiteral(parts, part);
    else parts.push(part);
    at = match.index + match[0].length;
  }
  addLiteral(parts, format.slice(at));
  return parts;
}

function addLiteral(parts: FormatPart[], text: string): void {
  if (text === '') return;
  const last = parts.at(-1);
  if (typeof last === 'string') parts[parts.length - 1] = last + text;
  else parts.push(text);
}

/** Refuses what no request can be made of: every line needs a method, a path and a time. */
export function checkFormat(format: LineFormat): LineFormat {
  const roles = new Set(format.parts.map((part) => (typeof part === 'string' ? '' : part.role.is)));
  const missing = [
    roles.has('time') ? undefined : 'a time',
    roles.has('request') || roles.has('path') || roles.has('decodedPath') ? undefined : 'a path',
  ].filter((word) => word !== undefined);
  if (missing.length === 0) return format;
  const names = format.parts.flatMap((part) => (typeof part === 'string' ? [] : [part.name]));
  const message = `the format has no field for ${missing.join(' and ')}; its fields: ${names.join(', ') || 'none'}`;
  throw new HarnessError(
    'USAGE',
    message,
    `Give the ${format.from} format as it stands in the server's configuration.`,
  );
}

/** Whatever joins several quoted pieces, a directive before and a name or semicolon behind in a configuration. */
export function unquoted(text: string): string {
  const pieces = [...text.matchAll(/'((?:[^'\\]|\\.)*)'/g)].map((match) => match[1]!);
  return pieces.length > 0 ? pieces.join('') : text;
}
