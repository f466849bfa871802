import { brotliDecompressSync, gunzipSync, inflateSync, zstdDecompressSync } from 'node:zlib';

/** Bodies above these are left out: what is sent again must be whole, of an answer only what tells its values is of use. */
export const MOST_BODY_BYTES = 16 * 1024 * 1024;
export const MOST_ANSWER_BODY_BYTES = 1024 * 1024;

const utf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

/** An HTTP/1 message as it went over the wire, taken apart. */
export interface HttpMessage {
  /** Request line or status line; one char a byte. */
  start: string;
  /** Flat, names in lower case. */
  headers: string[];
  body: Buffer;
}

/** Undefined when the bytes do not hold a start line and headers. A chunked body is joined. */
export function parseHttpMessage(bytes: Buffer): HttpMessage | undefined {
  const blank = bytes.indexOf('\r\n\r\n');
  const headEnd = blank === -1 ? bytes.length : blank;
  const [start = '', ...lines] = bytes.toString('latin1', 0, headEnd).split('\r\n');
  const headers: string[] = [];
  for (const line of lines) {
    if (line === '') continue;
    const colon = line.indexOf(':');
    if (colon < 1) return undefined;
    headers.push(line.slice(0, colon).trim().toLowerCase(), headerText(line.slice(colon + 1).trim()));
  }
  const rest = blank === -1 ? Buffer.alloc(0) : bytes.subarray(blank + 4);
  const chunked = headers.some(
    (name, at) => at % 2 === 0 && name === 'transfer-encoding' && /chunked/i.test(headers[at + 1]!),
  );
  return { start, headers, body: chunked ? joinChunks(rest) : rest };
}

/** The bytes as text; undefined when they are not UTF-8: no text stands for them. */
export function textOf(bytes: Buffer): string | undefined {
  try {
    return utf8.decode(bytes);
  } catch {
    return undefined;
  }
}

/** Undoes a content-encoding; undefined when it is unknown, damaged or unpacks to more than `most`. */
export function unpack(body: Buffer, encoding: string | undefined, most: number): Buffer | undefined {
  const limit = { maxOutputLength: most };
  try {
    switch (encoding?.trim().toLowerCase() ?? '') {
      case '':
      case 'identity':
        return body.length > most ? undefined : body;
      case 'gzip':
      case 'x-gzip':
        return gunzipSync(body, limit);
      case 'deflate':
        return inflateSync(body, limit);
      case 'br':
        return brotliDecompressSync(body, limit);
      case 'zstd':
        return zstdDecompressSync(body, limit);
      default:
        return undefined;
    }
  } catch {
    // What cannot be unpacked is counted by the caller as a body left out.
    return undefined;
  }
}

function headerText(latin1: string): string {
  return textOf(Buffer.from(latin1, 'latin1')) ?? latin1;
}

function joinChunks(bytes: Buffer): Buffer {
  const chunks: Buffer[] = [];
  let at = 0;
  for (;;) {
    const lineEnd = bytes.indexOf('\r\n', at);
    const length = lineEnd === -1 ? Number.NaN : Number.parseInt(bytes.toString('latin1', at, lineEnd), 16);
    // What was cut off is given as far as it goes.
    if (!(length > 0)) return Buffer.concat(chunks);
    chunks.push(bytes.subarray(lineEnd + 2, lineEnd + 2 + length));
    at = lineEnd + 2 + length + 2;
  }
}
