import { isUtf8 } from 'node:buffer';

export type Cell = string | number | boolean;

/** Rows of named columns over bytes that stay as they are: a row is read when it is asked for. */
export interface Table {
  readonly columns: readonly string[];
  readonly count: number;
  /** The cells of row `index` (from 0), in the order of `columns`. */
  row(index: number): readonly Cell[];
}

/**
 * A table that has been read through, as plain memory: where its rows begin lies in shared memory, and where its bytes do
 * too, threads that are sent it share the whole of it.
 */
export interface ReadTable {
  format: 'csv' | 'jsonLines';
  columns: readonly string[];
  bytes: Uint8Array;
  /** Where each row begins. */
  offsets: Float64Array;
  /** CSV without quotes: a record ends with its line, which is found much faster than by looking at each byte. */
  simple: boolean;
}

/** What is wrong with a table, and in which line of its file (from 1). */
export class TableError extends Error {
  readonly line: number;

  constructor(line: number, message: string) {
    super(message);
    this.name = 'TableError';
    this.line = line;
  }
}

const [QUOTE, COMMA, LF, CR] = [0x22, 0x2c, 0x0a, 0x0d];

/**
 * CSV as RFC 4180 has it: a header, commas, quotes doubled inside quotes, line breaks of either kind, also inside
 * quotes; a byte order mark is skipped, and so are empty lines. The whole file is read through once, so that every bad
 * row is known before the first is used; only where each row begins is kept. Throws TableError.
 */
export const csvTable = (bytes: Uint8Array): Table => tableOver(readCsv(bytes));

/** The same as plain memory. */
export function readCsv(bytes: Uint8Array): ReadTable {
  const buffer = withoutMark(bytes);
  const starts = new Offsets();
  let columns: string[] | undefined;
  let lineFrom = 1;
  for (let at = 0; at < buffer.length; ) {
    const { end, next, fields, lines } = scanRecord(buffer, at, lineFrom);
    if (end > at) {
      if (columns === undefined) columns = headerOf(cellsOf(buffer, at, end), lineFrom);
      else if (fields === columns.length) starts.add(at);
      else throw new TableError(lineFrom, `${count(fields, 'field')} where the header has ${columns.length}`);
    }
    at = next;
    lineFrom += lines;
  }
  if (columns === undefined) throw new TableError(1, 'there is no header line');
  checkText(buffer);
  const simple = !buffer.includes(QUOTE) && !hasBareReturn(buffer);
  return { format: 'csv', columns, bytes: buffer, offsets: starts.all(), simple };
}

/** A table over memory that was read through before, perhaps by another thread. */
export function tableOver(read: ReadTable): Table {
  const { format, columns, offsets } = read;
  const buffer = Buffer.from(read.bytes.buffer, read.bytes.byteOffset, read.bytes.byteLength);
  const row = format === 'csv' ? csvRow(buffer, read.simple) : jsonRow(buffer, columns);
  return { columns, count: offsets.length, row: (index) => row(offsets[index]!) };
}

function csvRow(buffer: Buffer, simple: boolean): (from: number) => Cell[] {
  const endOf = (from: number): number => {
    if (!simple) return scanRecord(buffer, from, 0).end;
    const end = endOfLine(buffer, from);
    return buffer[end - 1] === CR ? end - 1 : end;
  };
  return (from) => cellsOf(buffer, from, endOf(from));
}

function jsonRow(buffer: Buffer, columns: readonly string[]): (from: number) => Cell[] {
  return (from) => {
    const row = JSON.parse(buffer.toString('utf8', from, endOfLine(buffer, from))) as Record<string, Cell>;
    return columns.map((column) => row[column]!);
  };
}

/** A carriage return that no line feed follows ends a record too. */
function hasBareReturn(buffer: Buffer): boolean {
  for (let at = buffer.indexOf(CR); at !== -1; at = buffer.indexOf(CR, at + 1)) {
    if (buffer[at + 1] !== LF) return true;
  }
  return false;
}

/**
 * One JSON object a line; empty lines are skipped. The columns are those of the first row that have plain values, and
 * every later row must have them. Throws TableError.
 */
export const jsonLinesTable = (bytes: Uint8Array): Table => tableOver(readJsonLines(bytes));

/** The same as plain memory. */
export function readJsonLines(bytes: Uint8Array): ReadTable {
  const buffer = withoutMark(bytes);
  checkText(buffer);
  const starts = new Offsets();
  let columns: string[] | undefined;
  let line = 0;
  for (let at = 0; at < buffer.length; ) {
    line += 1;
    const lineEnd = endOfLine(buffer, at);
    const text = buffer.toString('utf8', at, lineEnd).trim();
    if (text !== '') {
      const row = objectIn(text, line);
      columns ??= Object.keys(row).filter((key) => isCell(row[key]));
      const lacks = columns.find((column) => !isCell(Object.hasOwn(row, column) ? row[column] : undefined));
      if (lacks !== undefined)
        throw new TableError(line, `"${lacks}" is missing, or is no text, number or truth value`);
      starts.add(at);
    }
    at = lineEnd + 1;
  }
  return { format: 'jsonLines', columns: columns ?? [], bytes: buffer, offsets: starts.all(), simple: false };
}

const ROW = /\{row\}/g;

/** Rows made from templates, with `{row}` (from 1) in them. */
export function generatedTable(templates: Readonly<Record<string, string>>, rows: number): Table {
  const all = Object.values(templates);
  return {
    columns: Object.keys(templates),
    count: rows,
    row: (index) => all.map((template) => template.replace(ROW, String(index + 1))),
  };
}

function withoutMark(bytes: Uint8Array): Buffer {
  const buffer = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  return buffer.length >= 3 && buffer[0] === 0xef && buffer[1] === 0xbb && buffer[2] === 0xbf
    ? buffer.subarray(3)
    : buffer;
}

/** One record's end (without its line break), where the next begins, its fields, and the lines it takes. */
function scanRecord(
  buffer: Buffer,
  from: number,
  line: number,
): { end: number; next: number; fields: number; lines: number } {
  let fields = 1;
  let lines = 1;
  let at = from;
  let atFieldStart = true;
  for (; at < buffer.length; at++) {
    const byte = buffer[at]!;
    if (byte === QUOTE) {
      if (!atFieldStart) throw new TableError(line + lines - 1, 'a quote stands inside a field that is not quoted');
      const closed = closingQuote(buffer, at, line + lines - 1);
      lines += closed.lines;
      at = closed.at;
      const after = buffer[at + 1];
      if (after !== undefined && after !== COMMA && after !== LF && after !== CR)
        throw new TableError(line + lines - 1, 'there is text after a closing quote');
    } else if (byte === COMMA) {
      fields += 1;
      atFieldStart = true;
      continue;
    } else if (byte === LF || byte === CR) break;
    atFieldStart = false;
  }
  const next = buffer[at] === CR && buffer[at + 1] === LF ? at + 2 : at + 1;
  return { end: at, next, fields, lines };
}

function closingQuote(buffer: Buffer, open: number, line: number): { at: number; lines: number } {
  let lines = 0;
  for (let at = open + 1; at < buffer.length; at++) {
    const byte = buffer[at]!;
    if (byte === LF) lines += 1;
    if (byte !== QUOTE) continue;
    if (buffer[at + 1] !== QUOTE) return { at, lines };
    at += 1;
  }
  throw new TableError(line, 'a quote is never closed');
}

/** The fields of one record that is known to be well formed. */
function cellsOf(buffer: Buffer, from: number, end: number): string[] {
  const text = buffer.toString('utf8', from, end);
  if (!text.includes('"')) return text.split(',');
  const cells: string[] = [];
  for (let at = 0; at <= text.length; ) {
    if (text[at] === '"') {
      let close = text.indexOf('"', at + 1);
      while (text[close + 1] === '"') close = text.indexOf('"', close + 2);
      cells.push(text.slice(at + 1, close).replaceAll('""', '"'));
      at = close + 2;
    } else {
      const comma = text.indexOf(',', at);
      const stop = comma === -1 ? text.length : comma;
      cells.push(text.slice(at, stop));
      at = stop + 1;
    }
  }
  return cells;
}

function headerOf(columns: string[], line: number): string[] {
  const unnamed = columns.indexOf('');
  if (unnamed >= 0) throw new TableError(line, `column ${unnamed + 1} of the header has no name`);
  const twice = columns.find((column, index) => columns.indexOf(column) < index);
  if (twice !== undefined) throw new TableError(line, `two columns are called "${twice}"`);
  return columns;
}

function objectIn(text: string, line: number): Record<string, unknown> {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (thrown) {
    throw new TableError(line, `not JSON: ${(thrown as SyntaxError).message}`);
  }
  if (typeof value === 'object' && value !== null && !Array.isArray(value)) return value as Record<string, unknown>;
  throw new TableError(line, 'a row is one JSON object');
}

const isCell = (value: unknown): value is Cell => ['string', 'number', 'boolean'].includes(typeof value);

function endOfLine(buffer: Buffer, from: number): number {
  const found = buffer.indexOf(LF, from);
  return found === -1 ? buffer.length : found;
}

function checkText(buffer: Buffer): void {
  if (isUtf8(buffer)) return;
  let line = 1;
  for (let at = 0; at < buffer.length; line++) {
    const end = endOfLine(buffer, at);
    if (!isUtf8(buffer.subarray(at, end))) throw new TableError(line, 'this is not UTF-8 text');
    at = end + 1;
  }
  throw new TableError(1, 'this is not UTF-8 text');
}

const count = (n: number, what: string): string => `${n} ${what}${n === 1 ? '' : 's'}`;

/** A list of numbers that grows without an object for each. */
class Offsets {
  #values = new Float64Array(1024);
  #length = 0;

  add(value: number): void {
    if (this.#length === this.#values.length) {
      const grown = new Float64Array(this.#length * 2);
      grown.set(this.#values);
      this.#values = grown;
    }
    this.#values[this.#length++] = value;
  }

  /** In shared memory. */
  all(): Float64Array {
    const all = new Float64Array(new SharedArrayBuffer(this.#length * Float64Array.BYTES_PER_ELEMENT));
    all.set(this.#values.subarray(0, this.#length));
    return all;
  }
}
