import type { ByteReader, ByteWriter } from './byte-buffer.ts';
import type { Recorded } from './recorded.ts';

/** Whole microseconds: the resolution of every time in a recording. */
export function toMicros(ms: number): number {
  return Math.round(ms * 1000);
}

/** Which parts a row has. */
export const SESSION = 1;
const BODY = 2;
const ANSWER_BODY = 4;
export const STATUS = 8;
export const TOOK = 16;
export const ANSWER_HEADERS = 32;

/** Stored as their number from 1; 0: the text follows. Part of version 1 of the file: the order never changes. */
export const METHODS = ['GET', 'POST', 'HEAD', 'PUT', 'DELETE', 'OPTIONS', 'PATCH'];
const NAMES = [
  'host',
  'user-agent',
  'referer',
  'cookie',
  'authorization',
  'accept',
  'accept-encoding',
  'accept-language',
  'content-type',
  'content-length',
  'connection',
  'origin',
  'cache-control',
  'x-forwarded-for',
  'x-request-id',
  'date',
  'server',
  'set-cookie',
  'location',
  'etag',
  'vary',
  'content-encoding',
  'transfer-encoding',
];
const METHOD_NUMBERS = numbered(METHODS);
const NAME_NUMBERS = numbered(NAMES);

/** A header's name as rows have it. */
export function writeHeaderName(out: ByteWriter, name: string): void {
  writeName(out, NAME_NUMBERS, name);
}

/** A request but its time: flags, session, method, path, status and duration where known, headers, bodies. */
export function writeRow(out: ByteWriter, request: Recorded): void {
  const { session, status, tookMs, body, answerBody, answerHeaders } = request;
  out.varint(
    (session === undefined ? 0 : SESSION) |
      (body === undefined ? 0 : BODY) |
      (answerBody === undefined ? 0 : ANSWER_BODY) |
      (status === undefined ? 0 : STATUS) |
      (tookMs === undefined ? 0 : TOOK) |
      (answerHeaders.length === 0 ? 0 : ANSWER_HEADERS),
  );
  if (session !== undefined) out.text(session);
  writeName(out, METHOD_NUMBERS, request.method);
  out.text(request.path);
  if (status !== undefined) out.varint(status);
  if (tookMs !== undefined) out.varint(toMicros(tookMs));
  writeHeaders(out, request.headers);
  if (answerHeaders.length > 0) writeHeaders(out, answerHeaders);
  if (body !== undefined) out.text(body);
  if (answerBody !== undefined) out.text(answerBody);
}

/** The session alone, for a reader who may not want the rest. */
export function readRowSession(row: ByteReader): { flags: number; session: string | undefined } {
  const flags = row.varint();
  return { flags, session: (flags & SESSION) === 0 ? undefined : row.text() };
}

/** What follows the session. */
export function readRow(row: ByteReader, atMs: number, flags: number, session: string | undefined): Recorded {
  const method = readName(row, METHODS);
  const path = row.text();
  const status = (flags & STATUS) === 0 ? undefined : row.varint();
  const tookMs = (flags & TOOK) === 0 ? undefined : row.varint() / 1000;
  const headers = readHeaders(row);
  const answerHeaders = (flags & ANSWER_HEADERS) === 0 ? [] : readHeaders(row);
  const body = (flags & BODY) === 0 ? undefined : row.text();
  const answerBody = (flags & ANSWER_BODY) === 0 ? undefined : row.text();
  return { atMs, session, method, path, headers, body, status, tookMs, answerHeaders, answerBody };
}

function writeHeaders(out: ByteWriter, headers: readonly string[]): void {
  out.varint(headers.length / 2);
  for (let at = 0; at + 1 < headers.length; at += 2) {
    writeName(out, NAME_NUMBERS, headers[at]!);
    out.text(headers[at + 1]!);
  }
}

function readHeaders(row: ByteReader): string[] {
  const headers: string[] = [];
  for (let left = row.varint(); left > 0; left--) headers.push(readName(row, NAMES), row.text());
  return headers;
}

function writeName(out: ByteWriter, numbers: ReadonlyMap<string, number>, name: string): void {
  const number = numbers.get(name) ?? 0;
  out.varint(number);
  if (number === 0) out.text(name);
}

function readName(row: ByteReader, names: readonly string[]): string {
  const number = row.varint();
  if (number === 0) return row.text();
  const name = names[number - 1];
  if (name === undefined) throw new RangeError(`name ${number} is not known`);
  return name;
}

function numbered(names: readonly string[]): Map<string, number> {
  return new Map(names.map((name, index) => [name, index + 1]));
}
