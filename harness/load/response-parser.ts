/** `feed` wants more bytes. */
export const MORE = -1;
/** `feed` was given what is not an HTTP/1 response; the connection is of no more use. */
export const ILLEGAL = -2;

/** A head larger than this is taken for an illegal one. */
export const HEAD_MAX = 64 * 1024;
const SMALL_HEAD = 8192;
const CHUNK_LINE_MAX = 4096;
const CHUNK_DIGITS_MAX = 13;

/** What is worth keeping of an answer. */
export interface AnswerWants {
  /** Statuses of which `bodyMax` bytes are kept; of others `otherBodyMax`. */
  expect: readonly number[];
  bodyMax: number;
  otherBodyMax: number;
  headers: boolean;
}

const [CR, LF, SP, TAB, COLON] = [13, 10, 32, 9, 58] as const;
const PREFIX = Buffer.from('HTTP/1.');
const CONTENT_LENGTH = Buffer.from('content-length');
const TRANSFER_ENCODING = Buffer.from('transfer-encoding');
const CONNECTION = Buffer.from('connection');
const KEEP_ALIVE = Buffer.from('keep-alive');
/** Field names are tokens (RFC 9110 §5.6.2). */
const IS_TOKEN = new Uint8Array(256);
for (const char of "!#$%&'*+-.^_`|~0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz") {
  IS_TOKEN[char.charCodeAt(0)] = 1;
}
/** Field values hold no control characters but the tab. */
const ENDS_VALUE = new Uint8Array(256);
ENDS_VALUE.fill(1, 0, 32);
ENDS_VALUE[TAB] = 0;
ENDS_VALUE[127] = 1;

type State = 'head' | 'length' | 'close' | 'chunkSize' | 'chunkData' | 'chunkEnd' | 'trailer';

/**
 * Reads HTTP/1.0 and 1.1 responses (RFC 9112), cut at any byte, one after the other: `begin`, then `feed` until it gives
 * the offset behind the message's last byte. What has no length of its own ends with the stream: `end`. Allocates
 * nothing for an answer of which nothing is wanted and whose head comes in one piece.
 */
export class ResponseParser {
  status = 0;
  /** Whether the connection may carry another request after this message. */
  keepAlive = true;
  /** How long the server says that it keeps an idle connection, in s. */
  keepAliveHintS: number | undefined;
  /** Flat: lower-case name, value, …; empty unless wanted. */
  headers: string[] = [];
  /** Whether more of the body came than was wanted. */
  cut = false;
  #wants!: AnswerWants;
  #toHead = false;
  #state: State = 'head';
  #held: Buffer | undefined;
  #left = 0;
  #line = '';
  #lineLength = 0;
  #room = 0;
  #chunks: Buffer[] | undefined;
  // Framing, as the head says.
  #length = -1;
  #chunked = false;
  #encoded = false;
  #close = false;
  #stay = false;

  /** `toHead`: the request was a HEAD, whose answer has no body whatever its head says. */
  begin(toHead: boolean, wants: AnswerWants): void {
    this.#toHead = toHead;
    this.#wants = wants;
    this.#state = 'head';
    this.#held = undefined;
    this.#chunks = undefined;
    this.status = 0;
    this.cut = false;
    this.keepAliveHintS = undefined;
    if (this.headers.length > 0) this.headers = [];
  }

  /** Whether nothing of the answer has come yet. */
  get untouched(): boolean {
    return this.#state === 'head' && this.#held === undefined;
  }

  /** What was kept of the body. */
  body(): string {
    if (this.#chunks === undefined) return '';
    return (this.#chunks.length === 1 ? this.#chunks[0]! : Buffer.concat(this.#chunks)).toString('utf8');
  }

  /** The stream has ended; whether that makes the message whole. */
  end(): boolean {
    return this.#state === 'close';
  }

  /** Takes in `bytes[from, to)`. Gives the offset where the message ended, MORE or ILLEGAL. */
  feed(bytes: Buffer, from: number, to: number): number {
    let at = from;
    if (this.#state === 'head') {
      at = this.#head(bytes, from, to);
      if (at < 0) return at;
      if (this.#bodiless()) return at;
    }
    while (at < to || this.#state === 'length') {
      switch (this.#state) {
        case 'length':
          at = this.#take(bytes, at, to);
          return this.#left === 0 ? at : MORE;
        case 'close':
          this.#keep(bytes, at, to);
          return MORE;
        case 'chunkData':
          at = this.#take(bytes, at, to);
          if (this.#left > 0) return MORE;
          this.#state = 'chunkEnd';
          break;
        default: {
          const line = this.#readLine(bytes, at, to);
          if (line < 0) return line;
          at = line;
          const done = this.#onLine();
          if (done < 0) return done;
          if (done === 1) return at;
        }
      }
    }
    return MORE;
  }

  /** Reads the head, those of 1xx before it included; gives the offset behind it, MORE or ILLEGAL. */
  #head(bytes: Buffer, from: number, to: number): number {
    if (this.#held === undefined) {
      const end = this.#heads(bytes, from, to);
      if (end === MORE) this.#held = Buffer.from(bytes.subarray(from, to));
      return end === MORE && to - from > HEAD_MAX ? ILLEGAL : end;
    }
    const before = this.#held.length;
    const held = Buffer.concat([this.#held, bytes.subarray(from, to)]);
    this.#held = held;
    // What is wrong shows at once; only a large head that drips in is not read again at every drop, but once it is whole.
    const worthIt = held.length <= SMALL_HEAD || hasBlankLine(held, Math.max(0, before - 3));
    const end = worthIt ? this.#heads(held, 0, held.length) : MORE;
    if (end === MORE) return held.length > HEAD_MAX ? ILLEGAL : MORE;
    this.#held = undefined;
    return end < 0 ? end : from + end - before;
  }

  #heads(bytes: Buffer, from: number, to: number): number {
    let at = from;
    for (;;) {
      at = this.#parseHead(bytes, at, to);
      if (at < 0) return at;
      if (this.status >= 200) return at;
      // 101 would mean that the connection is something else now; nobody asked for that.
      if (this.status === 101) return ILLEGAL;
    }
  }

  #parseHead(bytes: Buffer, from: number, to: number): number {
    let at = this.#statusLine(bytes, from, to);
    if (at < 0) return at;
    this.#length = -1;
    this.#chunked = this.#encoded = this.#close = this.#stay = false;
    const { headers } = this.#wants;
    if (headers) this.headers = [];
    for (;;) {
      if (at >= to) return MORE;
      const first = bytes[at]!;
      if (first === CR) {
        if (at + 1 >= to) return MORE;
        return bytes[at + 1] === LF ? this.#framed(at + 2) : ILLEGAL;
      }
      const nameAt = at;
      while (at < to && IS_TOKEN[bytes[at]!] === 1) at++;
      if (at >= to) return MORE;
      const nameEnd = at;
      if (nameEnd === nameAt || bytes[at] !== COLON) return ILLEGAL;
      at++;
      while (at < to && (bytes[at] === SP || bytes[at] === TAB)) at++;
      const valueAt = at;
      while (at < to && ENDS_VALUE[bytes[at]!] === 0) at++;
      if (at >= to) return MORE;
      let valueEnd = at;
      at = lineEnd(bytes, at, to);
      if (at < 0) return at;
      // A folded line would be a value that we read in part; nobody may send one (RFC 9112 §5.2).
      if (at < to && (bytes[at] === SP || bytes[at] === TAB)) return ILLEGAL;
      while (valueEnd > valueAt && (bytes[valueEnd - 1] === SP || bytes[valueEnd - 1] === TAB)) valueEnd--;
      const length = nameEnd - nameAt;
      if ((length === 14 || length === 17 || length === 10) && !this.#field(bytes, nameAt, length, valueAt, valueEnd)) {
        return ILLEGAL;
      }
      if (headers) {
        this.headers.push(
          bytes.toString('latin1', nameAt, nameEnd).toLowerCase(),
          bytes.toString('latin1', valueAt, valueEnd),
        );
      }
    }
  }

  #statusLine(bytes: Buffer, from: number, to: number): number {
    let at = from;
    // Some servers send an empty line after a body.
    while (at < to && (bytes[at] === CR || bytes[at] === LF)) at++;
    for (let index = 0; index < PREFIX.length; index++) {
      if (at + index >= to) return MORE;
      if (bytes[at + index] !== PREFIX[index]) return ILLEGAL;
    }
    if (at + 12 >= to) return MORE;
    const minor = bytes[at + 7]! - 48;
    const [hundreds, tens, ones] = [bytes[at + 9]! - 48, bytes[at + 10]! - 48, bytes[at + 11]! - 48];
    const digits = hundreds >= 1 && hundreds <= 9 && tens >= 0 && tens <= 9 && ones >= 0 && ones <= 9;
    if ((minor !== 0 && minor !== 1) || bytes[at + 8] !== SP || !digits) return ILLEGAL;
    this.status = hundreds * 100 + tens * 10 + ones;
    this.keepAlive = minor === 1;
    at += 12;
    const after = bytes[at]!;
    if (after !== SP && after !== CR) return ILLEGAL;
    while (at < to && ENDS_VALUE[bytes[at]!] === 0) at++;
    return at >= to ? MORE : lineEnd(bytes, at, to);
  }

  /** Takes in a field that may be one of the four that matter; false: it contradicts itself or another. */
  #field(bytes: Buffer, nameAt: number, length: number, valueAt: number, valueEnd: number): boolean {
    if (length === 14) {
      if (!isName(bytes, nameAt, CONTENT_LENGTH)) return true;
      const value = wholeNumber(bytes, valueAt, valueEnd);
      if (value < 0 || (this.#length >= 0 && this.#length !== value)) return false;
      this.#length = value;
      return true;
    }
    if (length === 17) {
      if (!isName(bytes, nameAt, TRANSFER_ENCODING)) return true;
      const value = bytes.toString('latin1', valueAt, valueEnd).toLowerCase();
      // Chunked twice, or anything behind it, cannot be read.
      if (this.#chunked) return false;
      const codings = value.split(',').map((coding) => coding.trim());
      this.#encoded = true;
      this.#chunked = codings.at(-1) === 'chunked';
      return codings.indexOf('chunked') < 0 || codings.indexOf('chunked') === codings.length - 1;
    }
    if (isName(bytes, nameAt, CONNECTION)) {
      if (isName(bytes, valueAt, KEEP_ALIVE) && valueEnd - valueAt === KEEP_ALIVE.length) {
        this.#stay = true;
        return true;
      }
      const value = bytes.toString('latin1', valueAt, valueEnd).toLowerCase();
      for (const option of value.split(',')) {
        if (option.trim() === 'close') this.#close = true;
        if (option.trim() === 'keep-alive') this.#stay = true;
      }
    } else if (isName(bytes, nameAt, KEEP_ALIVE)) {
      const value = bytes.toString('latin1', valueAt, valueEnd).toLowerCase();
      const hint = /(?:^|[\s,;])timeout=(\d{1,6})/.exec(value);
      if (hint !== null) this.keepAliveHintS = Number(hint[1]);
    }
    return true;
  }

  /** The head is whole: how its body is cut out of the stream (RFC 9112 §6.3). */
  #framed(at: number): number {
    if (this.status < 200) return at;
    // Both say where the message ends: a smuggler's tool, and no honest server's.
    if (this.#encoded && this.#length >= 0) return ILLEGAL;
    this.keepAlive = !this.#close && (this.keepAlive || this.#stay);
    const { expect, bodyMax, otherBodyMax } = this.#wants;
    this.#room = expect.includes(this.status) ? bodyMax : otherBodyMax;
    if (this.#chunked) this.#state = 'chunkSize';
    else if (!this.#encoded && this.#length >= 0) this.#state = 'length';
    else this.#state = 'close';
    this.#left = Math.max(0, this.#length);
    this.#line = '';
    this.#lineLength = 0;
    return at;
  }

  #bodiless(): boolean {
    if (!this.#toHead && this.status !== 204 && this.status !== 304) return false;
    this.#state = 'length';
    this.#left = 0;
    return true;
  }

  /** A line of a chunked body has been read. 1: the message ends here. */
  #onLine(): 0 | 1 | typeof ILLEGAL {
    const line = this.#line;
    this.#line = '';
    this.#lineLength = 0;
    if (this.#state === 'chunkEnd') {
      this.#state = 'chunkSize';
      return line === '' ? 0 : ILLEGAL;
    }
    if (this.#state === 'trailer') return line === '' ? 1 : 0;
    const size = /^([0-9A-Fa-f]+)[ \t]*(?:;|$)/.exec(line)?.[1];
    if (size === undefined || size.length > CHUNK_DIGITS_MAX) return ILLEGAL;
    this.#left = Number.parseInt(size, 16);
    this.#state = this.#left === 0 ? 'trailer' : 'chunkData';
    return 0;
  }

  /** Gathers up to the next line end; gives the offset behind it, MORE or ILLEGAL. */
  #readLine(bytes: Buffer, from: number, to: number): number {
    const found = bytes.indexOf(LF, from);
    const end = found < 0 || found >= to ? to : found;
    this.#lineLength += end - from;
    if (this.#lineLength > CHUNK_LINE_MAX) return ILLEGAL;
    this.#line += bytes.toString('latin1', from, end);
    if (end === to) return MORE;
    if (!this.#line.endsWith('\r')) return ILLEGAL;
    this.#line = this.#line.slice(0, -1);
    return end + 1;
  }

  #take(bytes: Buffer, from: number, to: number): number {
    const end = Math.min(to, from + this.#left);
    this.#keep(bytes, from, end);
    this.#left -= end - from;
    return end;
  }

  #keep(bytes: Buffer, from: number, to: number): void {
    const wanted = Math.min(this.#room, to - from);
    if (wanted < to - from) this.cut = true;
    if (wanted <= 0) return;
    this.#room -= wanted;
    // A copy: the bytes are read into the same place again.
    this.#chunks ??= [];
    this.#chunks.push(Buffer.from(bytes.subarray(from, from + wanted)));
  }
}

/** The offset behind the CRLF at `at`; a bare CR or LF ends no line. */
function lineEnd(bytes: Buffer, at: number, to: number): number {
  if (bytes[at] !== CR) return ILLEGAL;
  if (at + 1 >= to) return MORE;
  return bytes[at + 1] === LF ? at + 2 : ILLEGAL;
}

/** Whether these bytes spell a name, in upper or lower case; `name` is in lower case. */
function isName(bytes: Buffer, at: number, name: Buffer): boolean {
  for (let index = 0; index < name.length; index++) {
    const byte = bytes[at + index]!;
    // Letters differ from their capitals by this bit; `-` has it set already.
    if ((byte | 32) !== name[index]) return false;
  }
  return true;
}

/** Digits only, at most 15 of them; −1 otherwise. */
function wholeNumber(bytes: Buffer, from: number, to: number): number {
  if (to === from || to - from > 15) return -1;
  let value = 0;
  for (let at = from; at < to; at++) {
    const digit = bytes[at]! - 48;
    if (digit < 0 || digit > 9) return -1;
    value = value * 10 + digit;
  }
  return value;
}

function hasBlankLine(bytes: Buffer, from: number): boolean {
  for (let at = bytes.indexOf(LF, from); at >= 0; at = bytes.indexOf(LF, at + 1)) {
    if (bytes[at + 1] === CR && bytes[at + 2] === LF) return true;
  }
  return false;
}
