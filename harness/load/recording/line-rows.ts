import { fieldsByRole } from './access-log.ts';
import { ByteWriter } from './byte-buffer.ts';
import { ByteCache, type Piece, pieceOf, sameBytes } from './byte-cache.ts';
import { ByteScanner } from './byte-scanner.ts';
import { type ByteSession, byteSession, isAbsent, type RowSession } from './byte-session.ts';
import { ByteTime, decimalBytes } from './byte-time.ts';
import type { FieldRole, FormatField, LineFormat } from './line-format.ts';
import { LineScanner } from './line-scanner.ts';
import { isAddress } from './mask-headers.ts';
import type { FieldRules, MaskedField } from './masker.ts';
import { ANSWER_HEADERS, METHODS, SESSION, STATUS, TOOK, toMicros, writeHeaderName } from './recorded-row.ts';
import type { SessionRule } from './session-rule.ts';
import { sessionHash } from './session-table.ts';
import { TargetMasker } from './target-masker.ts';

const COMMENT = 35;
const PLUS = 43;
const SLASH = 47;
const SPACE = 32;
/** A longer line is read as text. */
const LONGEST_LINE = 16_384;
const VALUES = 4096;
const VALUE_MAX = 256;
/** ` HTTP/1.1`: behind the target. */
const PROTOCOL = pieceOf(Buffer.from(' HTTP/'));
const PROTOCOL_LENGTH = PROTOCOL.bytes.length + '1.1'.length;
const METHOD_BYTES = METHODS.map((method) => pieceOf(Buffer.from(method)));
/** Roles whose fields need more than a look at their bytes: a log that has one is read as text. */
const AS_TEXT: readonly FieldRole['is'][] = ['decodedPath', 'fraction', 'zone', 'cookie', 'body'];
/** Bytes that a path keeps as they are; all others are encoded by who reads the line as text. */
const IN_PATH = Uint8Array.from({ length: 256 }, (_, byte) =>
  /[\x21\x24-\x7e]/.test(String.fromCharCode(byte)) ? 1 : 0,
);

/** Four bytes at a time. */
const ONES = 0x01010101;
const HIGHS = 0x80808080 | 0;
/** What stands for a user agent that the line does not tell. */
const NO_AGENT = sessionHash('');

/** Where the rows go: a recording's writer. */
export interface RowDesk {
  open(): ByteWriter;
  keepOpened(session: number | undefined, atMs: number, method: string, status: number | undefined): number;
}

/** Everything that a log's rows are made with. */
export interface RowOptions {
  rule: SessionRule;
  rules: FieldRules;
  desk: RowDesk;
  /** Is given each row; `lessMs`: by how much its request began before `atMs`. */
  give: (atMs: number, lessMs: number, wholeSecond: boolean, row: number) => void;
}

/** The value of a header as its row has it, and what was replaced in it. */
interface KnownValue {
  bytes: Buffer;
  replaced: readonly string[] | undefined;
  /** What `sessionHash` makes of it as it was. */
  hash: number;
}

interface HeaderField {
  /** The name as rows have it. */
  name: Buffer;
  text: string;
  field: number;
  isAddress: boolean;
  known: ByteCache<KnownValue>;
}

/**
 * Makes masked rows of the plain lines of an access log without making strings of them: the row of a line is, byte for
 * byte, what parser, masker and `writeRow` would make of it. Every other line is left to those.
 */
export class LineRows {
  readonly #scan: ByteScanner;
  readonly #of: Record<FieldRole['is'], number>;
  readonly #time: ByteTime;
  readonly #tookMs: number;
  readonly #endStamped: boolean;
  readonly #session: ByteSession;
  /** Where sessions depend on it. */
  readonly #agent: HeaderField | undefined;
  readonly #headers: readonly HeaderField[];
  readonly #answerHeaders: readonly HeaderField[];
  readonly #rules: FieldRules;
  readonly #targets: TargetMasker;
  readonly #desk: RowDesk;
  readonly #give: RowOptions['give'];
  /** Of the line at hand. */
  #method = 0;
  #pathStart = 0;
  #pathEnd = 0;
  #agentValue: KnownValue | undefined;

  private constructor(scan: ByteScanner, format: LineFormat, fields: readonly FormatField[], options: RowOptions) {
    const { rule, rules, desk, give } = options;
    this.#scan = scan;
    this.#of = fieldsByRole(fields);
    const time = fields[this.#of.time]!.role;
    if (time.is !== 'time') throw new Error('a format without a time passed its check');
    this.#time = new ByteTime(time.read);
    const took = fields[this.#of.took]?.role;
    this.#tookMs = took?.is === 'took' ? took.unitMs : 0;
    this.#endStamped = format.stamped === 'end';
    this.#session = byteSession(rule, fields, rules);
    const named = (is: 'header' | 'answerHeader'): HeaderField[] =>
      fields.flatMap(({ role }, field) => (role.is === is ? [headerField(role.name, field)] : []));
    const host = this.#of.host === -1 ? [] : [headerField('host', this.#of.host)];
    this.#headers = [...host, ...named('header')];
    this.#answerHeaders = named('answerHeader');
    this.#agent = rule.by === 'ip+ua' ? this.#headers.find(({ text }) => text === 'user-agent') : undefined;
    this.#rules = rules;
    this.#targets = new TargetMasker(rules);
    this.#desk = desk;
    this.#give = give;
  }

  /** Undefined for a format that has to be read as text. */
  static of(format: LineFormat, options: RowOptions): LineRows | undefined {
    const lines = new LineScanner(format);
    const { fields } = lines;
    const of = fieldsByRole(fields);
    const scan = ByteScanner.of(lines);
    const isSplitPath = of.request === -1 && of.query !== -1;
    if (scan === undefined || isSplitPath || AS_TEXT.some((role) => of[role] !== -1)) return undefined;
    return new LineRows(scan, format, fields, options);
  }

  /** Gives the row of the line that begins at `from` on; where the next begins, or -1: not a line for this. */
  line(piece: Piece, from: number, limit: number): number {
    const { bytes } = piece;
    if (bytes[from] === COMMENT) return -1;
    const next = this.#scan.scan(piece, from, limit);
    if (next === -1 || next - from > LONGEST_LINE) return -1;
    const { starts, ends } = this.#scan;
    const { time } = this.#of;
    const atMs = this.#time.ms(piece, starts[time]!, ends[time]!);
    if (!(atMs >= 0)) return -1;
    if (!(this.#of.request === -1 ? this.#apart(piece) : this.#request(piece))) return -1;
    const status = this.#status(bytes);
    if (status === -1) return -1;
    this.#row(piece, atMs, status === 0 ? undefined : status, this.#took(bytes));
    return next;
  }

  #row(piece: Piece, atMs: number, status: number | undefined, tookMs: number | undefined): void {
    const { bytes } = piece;
    const session = this.#sessionOf(piece);
    const headers = this.#present(bytes, this.#headers);
    const answerHeaders = this.#present(bytes, this.#answerHeaders);
    const out = this.#desk.open();
    out.byte(
      (session === undefined ? 0 : SESSION) |
        (status === undefined ? 0 : STATUS) |
        (tookMs === undefined ? 0 : TOOK) |
        (answerHeaders === 0 ? 0 : ANSWER_HEADERS),
    );
    if (session !== undefined) out.append(session.bytes);
    out.byte(this.#method + 1);
    this.#put(out, bytes, this.#pathStart, this.#pathEnd, this.#targets.target(piece, this.#pathStart, this.#pathEnd));
    if (status !== undefined) out.varint(status);
    if (tookMs !== undefined) out.varint(toMicros(tookMs));
    out.varint(headers);
    this.#putHeaders(out, piece, this.#headers);
    if (answerHeaders > 0) {
      out.varint(answerHeaders);
      this.#putHeaders(out, piece, this.#answerHeaders);
    }
    const row = this.#desk.keepOpened(session?.key, atMs, METHODS[this.#method]!, status);
    this.#give(atMs, this.#endStamped ? (tookMs ?? 0) : 0, this.#time.wholeSecond, row);
  }

  /** The user agent is looked up for the session, and kept for its header. */
  #sessionOf(piece: Piece): RowSession | undefined {
    const { starts, ends } = this.#scan;
    const agent = this.#agent;
    this.#agentValue = undefined;
    let hash = NO_AGENT;
    if (agent !== undefined) {
      const start = starts[agent.field]!;
      const end = ends[agent.field]!;
      if (end - start > VALUE_MAX) hash = sessionHash(piece.bytes.toString('latin1', start, end));
      else if (!isAbsent(piece.bytes, start, end)) {
        this.#agentValue = this.#value(agent, piece, start, end);
        hash = this.#agentValue.hash;
      }
    }
    return this.#session(piece, starts, ends, hash);
  }

  /** A field as it stands, or what it became. */
  #put(out: ByteWriter, bytes: Buffer, start: number, end: number, masked: MaskedField | undefined): void {
    if (masked === undefined) {
      out.run(bytes, start, end);
      return;
    }
    out.text(masked.text);
    if (masked.replaced !== undefined) this.#rules.count(masked.replaced);
  }

  #present(bytes: Buffer, headers: readonly HeaderField[]): number {
    const { starts, ends } = this.#scan;
    let present = 0;
    for (let at = 0; at < headers.length; at++) {
      const { field } = headers[at]!;
      if (!isAbsent(bytes, starts[field]!, ends[field]!)) present++;
    }
    return present;
  }

  #putHeaders(out: ByteWriter, piece: Piece, headers: readonly HeaderField[]): void {
    const { bytes } = piece;
    for (let at = 0; at < headers.length; at++) {
      const header = headers[at]!;
      const start = this.#scan.starts[header.field]!;
      const end = this.#scan.ends[header.field]!;
      if (isAbsent(bytes, start, end)) continue;
      out.append(header.name);
      if (header.isAddress) this.#put(out, bytes, start, end, this.#targets.address(piece, start, end));
      else if (end - start > VALUE_MAX)
        this.#put(out, bytes, start, end, this.#rules.header(header.text, bytes.toString('latin1', start, end)));
      else {
        const isAgent = header === this.#agent && this.#agentValue !== undefined;
        const { bytes: value, replaced } = isAgent ? this.#agentValue! : this.#value(header, piece, start, end);
        out.append(value);
        if (replaced !== undefined) this.#rules.count(replaced);
      }
    }
  }

  #value(header: HeaderField, { bytes, view }: Piece, start: number, end: number): KnownValue {
    const known = header.known.get(view, start, end);
    if (known !== undefined) return known;
    const written = bytes.toString('latin1', start, end);
    const { text, replaced } = this.#rules.header(header.text, written);
    const value = { bytes: rowBytes((out) => out.text(text)), replaced, hash: sessionHash(written) };
    header.known.put(bytes, start, end, value);
    return value;
  }

  /** `GET /path?query HTTP/1.1`. */
  #request(piece: Piece): boolean {
    const { bytes, view } = piece;
    const start = this.#scan.starts[this.#of.request]!;
    const end = this.#scan.ends[this.#of.request]!;
    let space = start;
    while (space < end && bytes[space] !== SPACE) space++;
    const target = end - PROTOCOL_LENGTH;
    if (target <= space || !sameBytes(view, target, PROTOCOL.view, 0, PROTOCOL.bytes.length)) return false;
    return this.#isMethod(piece, start, space) && this.#isPath(piece, space + 1, target);
  }

  /** Method and path in fields of their own. */
  #apart(piece: Piece): boolean {
    const { starts, ends } = this.#scan;
    const { method, path } = this.#of;
    if (method === -1) this.#method = 0;
    else if (!this.#isMethod(piece, starts[method]!, ends[method]!)) return false;
    return this.#isPath(piece, starts[path]!, ends[path]!);
  }

  #isMethod({ view }: Piece, start: number, end: number): boolean {
    const { length } = METHOD_BYTES;
    for (let number = 0; number < length; number++) {
      const method = METHOD_BYTES[number]!;
      const { length: bytes } = method.bytes;
      if (bytes !== end - start || !sameBytes(view, start, method.view, 0, bytes)) continue;
      this.#method = number;
      return true;
    }
    return false;
  }

  #isPath({ bytes, view }: Piece, start: number, end: number): boolean {
    if (start >= end || bytes[start] !== SLASH) return false;
    let at = start;
    for (; at + 4 <= end; at += 4) if (!areInPath(view.getInt32(at, true))) return false;
    for (; at < end; at++) if (IN_PATH[bytes[at]!] === 0) return false;
    this.#pathStart = start;
    this.#pathEnd = end;
    return true;
  }

  /** 0: the line tells none; -1: more than a look at three digits is needed. */
  #status(bytes: Buffer): number {
    const field = this.#of.status;
    if (field === -1) return 0;
    const start = this.#scan.starts[field]!;
    const end = this.#scan.ends[field]!;
    if (isAbsent(bytes, start, end)) return 0;
    const status = end - start === 3 ? decimalBytes(bytes, start, end) : Number.NaN;
    return status >= 100 && Number.isInteger(status) ? status : -1;
  }

  #took(bytes: Buffer): number | undefined {
    const { timers, took } = this.#of;
    const field = timers === -1 ? took : timers;
    if (field === -1) return undefined;
    let start = this.#scan.starts[field]!;
    const end = this.#scan.ends[field]!;
    if (timers === -1) {
      const units = decimalBytes(bytes, start, end);
      return units >= 0 ? Math.round(units * this.#tookMs * 1000) / 1000 : undefined;
    }
    const slash = bytes.lastIndexOf(SLASH, end - 1);
    if (slash < start) return undefined;
    start = bytes[slash + 1] === PLUS ? slash + 2 : slash + 1;
    const lastMs = decimalBytes(bytes, start, end);
    return lastMs >= 0 ? lastMs : undefined;
  }
}

/** Whether four bytes of ASCII can all stand in a path: none below `!`, no quote, no hash sign, no DEL. */
function areInPath(four: number): boolean {
  const quote = four ^ 0x22222222;
  const hash = four ^ 0x23232323;
  const found =
    ((four - 0x21212121) & ~four) | ((quote - ONES) & ~quote) | ((hash - ONES) & ~hash) | ((four + ONES) | four);
  return (found & HIGHS) === 0;
}

function headerField(name: string, field: number): HeaderField {
  return {
    name: rowBytes((out) => writeHeaderName(out, name)),
    text: name,
    field,
    isAddress: isAddress(name),
    known: new ByteCache<KnownValue>(isAddress(name) ? 2 : VALUES, VALUE_MAX),
  };
}

function rowBytes(write: (out: ByteWriter) => void): Buffer {
  const out = new ByteWriter();
  write(out);
  return Buffer.from(out.bytes);
}
