import { encodeDecodedPath, encodePath, undoEscapes } from './field-text.ts';
import type { FieldRole, FormatField, LineFormat } from './line-format.ts';
import { LineScanner } from './line-scanner.ts';
import { lineSession } from './line-session.ts';
import { decimal, type LogTime, type TimeReader, zoneMs } from './log-time.ts';
import type { Recorded } from './recorded.ts';
import { parseRequestLine, type RequestLine, withTarget } from './request-line.ts';
import type { SessionRule } from './session-rule.ts';

const DASH = 45;
const NO_HEADERS: string[] = [];

interface NamedField {
  name: string;
  field: number;
}

/** Makes requests of the lines of one access log. Holds nothing of a line after it, but caches of bounded size. */
export class AccessLogParser {
  /** The format's times are of the requests' ends: the start is earlier by the duration, where that is known. */
  readonly endStamped: boolean;
  /** Whether the line parsed last told its time in whole seconds only. */
  wholeSecond = false;
  readonly #format: LineFormat;
  readonly #scan: LineScanner;
  /** The field of each role; -1 where the format has none. */
  readonly #of: Record<FieldRole['is'], number>;
  readonly #readTime: TimeReader;
  readonly #fractionMs: number;
  readonly #tookMs: number;
  readonly #headers: NamedField[];
  readonly #answerHeaders: NamedField[];
  readonly #cookies: NamedField[];
  readonly #session: (text: (field: number) => string | undefined) => string | undefined;
  readonly #time: LogTime = { ms: Number.NaN, wholeSecond: false };
  #line = '';
  #ascii = true;
  readonly #textOf = (field: number): string | undefined => (this.#isAbsent(field) ? undefined : this.#text(field));

  constructor(format: LineFormat, rule: SessionRule) {
    this.#format = format;
    this.endStamped = format.stamped === 'end';
    this.#scan = new LineScanner(format);
    const { fields } = this.#scan;
    this.#of = fieldsByRole(fields);
    const role = (is: FieldRole['is']): FieldRole => fields[this.#of[is]]?.role ?? { is: 'skip' };
    const [time, fraction, took] = [role('time'), role('fraction'), role('took')];
    if (time.is !== 'time') throw new Error('a format without a time passed its check');
    this.#readTime = time.read;
    this.#fractionMs = fraction.is === 'fraction' ? fraction.unitMs : 0;
    this.#tookMs = took.is === 'took' ? took.unitMs : 0;
    const named = (is: 'header' | 'answerHeader' | 'cookie'): NamedField[] =>
      fields.flatMap(({ role: one }, field) => (one.is === is ? [{ name: one.name, field }] : []));
    const host = this.#of.host === -1 ? [] : [{ name: 'host', field: this.#of.host }];
    this.#headers = [...host, ...named('header')];
    this.#answerHeaders = named('answerHeader');
    this.#cookies = named('cookie');
    this.#session = lineSession(rule, fields);
  }

  /** The request of a line (one char a byte; `ascii`: none above 127), or, as a text, why it is none. */
  parse(line: string, ascii: boolean): Recorded | string {
    this.#line = line;
    this.#ascii = ascii;
    const parted = this.#scan.scan(line);
    if (parted !== -1) return this.#misshapen(parted);
    const atMs = this.#atMs();
    if (!(atMs >= 0)) return `${this.#scan.fields[this.#of.time]!.name} is not a time`;
    const request = this.#requestLine();
    if (request.problem !== undefined) return request.problem;
    const status = this.#status();
    if (status === -1) return 'the status is not a number from 100 to 999';
    return {
      atMs,
      session: this.#session(this.#textOf),
      method: request.method,
      path: this.#of.query === -1 || this.#of.request !== -1 ? request.path : this.#withQuery(request.path),
      headers: this.#requestHeaders(request.host),
      body: this.#of.body === -1 ? undefined : this.#textOf(this.#of.body),
      status,
      tookMs: this.#took(),
      answerHeaders: this.#answerHeaders.length === 0 ? NO_HEADERS : this.#pairs(this.#answerHeaders),
      answerBody: undefined,
    };
  }

  #misshapen(field: number): string {
    const known = this.#scan.fields[field];
    const where = known === undefined ? 'behind the last field' : `at ${known.name}`;
    return `not ${this.#format.title}: it parts from the format ${where}`;
  }

  #atMs(): number {
    const { time, fraction, zone } = this.#of;
    const at = this.#time;
    this.#readTime(this.#line, this.#scan.starts[time]!, this.#scan.ends[time]!, at);
    this.wholeSecond = at.wholeSecond && fraction === -1;
    const ms = zone === -1 ? at.ms : at.ms - zoneMs(this.#raw(zone));
    return fraction === -1 ? ms : ms + this.#number(fraction) * this.#fractionMs;
  }

  #requestLine(): RequestLine {
    const { request, method } = this.#of;
    if (request === -1) return withTarget(method === -1 ? 'GET' : this.#text(method), this.#target());
    return parseRequestLine(this.#raw(request));
  }

  /** Where path and method stand apart; one char a byte. */
  #target(): string {
    const { path, decodedPath } = this.#of;
    return path === -1 ? encodeDecodedPath(this.#raw(decodedPath)) : this.#raw(path);
  }

  #withQuery(path: string): string {
    if (this.#isAbsent(this.#of.query) || path.includes('?')) return path;
    const query = encodePath(this.#raw(this.#of.query));
    return query.startsWith('?') ? path + query : `${path}?${query}`;
  }

  /** Undefined: the log tells none; -1: what it tells is no status. */
  #status(): number | undefined {
    const field = this.#of.status;
    // A connection that ended before an answer: `-`, 0, or HAProxy's -1.
    if (field === -1 || this.#isAbsent(field) || this.#line.charCodeAt(this.#scan.starts[field]!) === DASH)
      return undefined;
    const status = this.#number(field);
    if (status === 0) return undefined;
    return status >= 100 && status <= 999 && Number.isInteger(status) ? status : -1;
  }

  #took(): number | undefined {
    const { timers, took } = this.#of;
    if (timers !== -1) return this.#lastTimer(timers);
    if (took === -1) return undefined;
    const units = this.#number(took);
    return units >= 0 ? Math.round(units * this.#tookMs * 1000) / 1000 : undefined;
  }

  /** `10/0/30/69/109` → 109; a plus says that the line was written before the end. */
  #lastTimer(field: number): number | undefined {
    const end = this.#scan.ends[field]!;
    const slash = this.#line.lastIndexOf('/', end - 1);
    if (slash < this.#scan.starts[field]!) return undefined;
    const took = decimal(this.#line, this.#line[slash + 1] === '+' ? slash + 2 : slash + 1, end);
    return took >= 0 ? took : undefined;
  }

  #requestHeaders(host: string | undefined): string[] {
    const headers = this.#pairs(this.#headers);
    if (host !== undefined && headers[0] !== 'host') headers.unshift('host', host);
    if (this.#cookies.length === 0 || headers.includes('cookie')) return headers;
    const there = this.#cookies.filter(({ field }) => !this.#isAbsent(field));
    if (there.length === 0) return headers;
    headers.push('cookie', there.map(({ name, field }) => `${name}=${this.#text(field)}`).join('; '));
    return headers;
  }

  #pairs(named: readonly NamedField[]): string[] {
    // Made in its full size: an array that grows takes more than it needs, and there are many.
    const pairs = new Array<string>(named.length * 2);
    let used = 0;
    for (let at = 0; at < named.length; at++) {
      const { name, field } = named[at]!;
      if (this.#isAbsent(field)) continue;
      pairs[used++] = name;
      pairs[used++] = this.#text(field);
    }
    pairs.length = used;
    return pairs;
  }

  #number(field: number): number {
    return decimal(this.#line, this.#scan.starts[field]!, this.#scan.ends[field]!);
  }

  #isAbsent(field: number): boolean {
    const start = this.#scan.starts[field]!;
    const length = this.#scan.ends[field]! - start;
    return length === 0 || (length === 1 && this.#line.charCodeAt(start) === DASH);
  }

  #text(field: number): string {
    const raw = this.#raw(field);
    return this.#ascii && this.#scan.escaped[field] === 0 ? raw : Buffer.from(raw, 'latin1').toString('utf8');
  }

  /** Without escapes; one char a byte. */
  #raw(field: number): string {
    const text = this.#line.slice(this.#scan.starts[field], this.#scan.ends[field]);
    return this.#scan.escaped[field] === 0 ? text : undoEscapes(text, this.#format.escapes);
  }
}

/** The first field of each role; -1 where the format has none. */
export function fieldsByRole(fields: readonly FormatField[]): Record<FieldRole['is'], number> {
  const all: Record<FieldRole['is'], number> = {
    skip: -1,
    address: -1,
    request: -1,
    method: -1,
    path: -1,
    decodedPath: -1,
    query: -1,
    status: -1,
    took: -1,
    timers: -1,
    time: -1,
    fraction: -1,
    zone: -1,
    host: -1,
    header: -1,
    answerHeader: -1,
    cookie: -1,
    body: -1,
  };
  fields.forEach(({ role: { is } }, field) => {
    if (all[is] === -1) all[is] = field;
  });
  // Of several times, nginx's is the one that tells parts of a second.
  const exact = fields.findIndex(({ name }) => name === '$msec');
  return exact === -1 ? all : { ...all, time: exact };
}
