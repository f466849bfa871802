import { headerOf } from '../flat-headers.ts';
import { MOST_ANSWER_BODY_BYTES, MOST_BODY_BYTES, parseHttpMessage, textOf, unpack } from './http-message.ts';
import type { Recorded } from './recorded.ts';
import { parseRequestLine } from './request-line.ts';
import { type SessionRule, sessionByHeaders } from './session-rule.ts';
import type { SourceSink } from './source-reader.ts';

const SEPARATOR = Buffer.from('\n🐵🙈🙉\n');
const MOST_PAYLOAD_BYTES = 64 * 1024 * 1024;
/** Requests that wait for their answer, and the bodies they have; beyond, or after this long, they go on without. */
const MOST_WAITING = 4096;
const MOST_WAITING_CHARS = 32 * 1024 * 1024;
const WAIT_MS = 30_000;
const NANOS_PER_MS = 1e6;

/** Payload types of GoReplay. */
const REQUEST = '1';
const ANSWER = '2';
const REPLAYED = '3';

/** Makes requests of a GoReplay file (`.gor`): requests joined with the original answers by their ids. */
export class GorReader {
  readonly #sink: SourceSink;
  readonly #rule: SessionRule;
  readonly #waiting = new Map<string, Recorded>();
  #waitingChars = 0;
  /** What no separator has ended yet. */
  #held: Buffer = Buffer.alloc(0);
  #heldBytes = 0;
  #skipping = false;
  #number = 0;
  /** Answers whose request is not in the file, or came too long before. */
  answersAlone = 0;
  /** Answers to replayed requests: of no use here. */
  replayed = 0;

  constructor(sink: SourceSink, rule: SessionRule) {
    this.#sink = sink;
    this.#rule = rule;
  }

  push(piece: Buffer): void {
    // A separator may lie across the border; before that there is none.
    const seam = Math.max(0, this.#heldBytes - SEPARATOR.length);
    this.#append(piece);
    const bytes = this.#held.subarray(0, this.#heldBytes);
    let start = 0;
    for (let at = bytes.indexOf(SEPARATOR, seam); at !== -1; at = bytes.indexOf(SEPARATOR, start)) {
      if (this.#skipping) this.#skipping = false;
      else this.#payload(bytes.subarray(start, at));
      start = at + SEPARATOR.length;
    }
    this.#keepFrom(start);
  }

  end(): void {
    if (!this.#skipping && this.#heldBytes > 0) this.#payload(this.#held.subarray(0, this.#heldBytes));
    this.#heldBytes = 0;
    for (const [id, request] of this.#waiting) this.#go(id, request);
  }

  #append(piece: Buffer): void {
    const length = this.#heldBytes + piece.length;
    if (length > this.#held.length) {
      const larger = Buffer.allocUnsafe(Math.max(length, this.#held.length * 2));
      this.#held.copy(larger, 0, 0, this.#heldBytes);
      this.#held = larger;
    }
    piece.copy(this.#held, this.#heldBytes);
    this.#heldBytes = length;
  }

  #keepFrom(start: number): void {
    const left = this.#heldBytes - start;
    if (left > MOST_PAYLOAD_BYTES && !this.#skipping) {
      this.#skipping = true;
      this.#number++;
      const reason = `a payload of more than ${MOST_PAYLOAD_BYTES / 1024 / 1024} MB`;
      this.#sink.malformed(this.#number, reason, this.#held.subarray(start, start + 1024));
    }
    // Of what is passed over, only what may be the begin of a separator is kept.
    const from = this.#skipping ? Math.max(start, this.#heldBytes - SEPARATOR.length) : start;
    this.#held.copyWithin(0, from, this.#heldBytes);
    this.#heldBytes -= from;
  }

  #payload(bytes: Buffer): void {
    this.#number++;
    const newline = bytes.indexOf(10);
    const header = bytes.toString('latin1', 0, newline === -1 ? bytes.length : newline).trim();
    const parts = /^([123]) (\S+) (\d+)(?: (-?\d+))?$/.exec(header);
    if (parts === null) {
      this.#sink.malformed(this.#number, 'no payload header `type id time`', bytes);
      return;
    }
    const [, type, id, nanos, latency] = parts;
    const atMs = Math.round(Number(nanos) / 1000) / 1000;
    const http = bytes.subarray(newline === -1 ? bytes.length : newline + 1);
    if (type === REQUEST) this.#request(id!, atMs, http);
    else if (type === ANSWER) this.#answer(id!, atMs, Number(latency ?? 0) / NANOS_PER_MS, http);
    else if (type === REPLAYED) this.replayed++;
  }

  #request(id: string, atMs: number, http: Buffer): void {
    const message = parseHttpMessage(http);
    const line = parseRequestLine(message?.start ?? '');
    if (message === undefined || line.problem !== undefined) {
      this.#sink.malformed(this.#number, line.problem ?? 'the headers are not HTTP', http);
      return;
    }
    const { headers } = message;
    if (line.host !== undefined && headerOf(headers, 'host') === undefined) headers.unshift('host', line.host);
    const body = message.body.length === 0 || message.body.length > MOST_BODY_BYTES ? undefined : textOf(message.body);
    if (message.body.length > 0 && body === undefined) this.#sink.bodyLeftOut();
    this.#giveOld(atMs);
    const same = this.#waiting.get(id);
    if (same !== undefined) this.#go(id, same);
    this.#waitingChars += body?.length ?? 0;
    this.#waiting.set(id, {
      atMs,
      session: sessionByHeaders(this.#rule, headers),
      method: line.method,
      path: line.path,
      headers,
      body,
      status: undefined,
      tookMs: undefined,
      answerHeaders: [],
      answerBody: undefined,
    });
  }

  #answer(id: string, atMs: number, latencyMs: number, http: Buffer): void {
    const request = this.#waiting.get(id);
    if (request === undefined) {
      this.answersAlone++;
      return;
    }
    const message = parseHttpMessage(http);
    const status = /^HTTP\/\d(?:\.\d)? (\d{3})\b/.exec(message?.start ?? '')?.[1];
    if (message === undefined || status === undefined) {
      this.#sink.malformed(this.#number, 'the answer is not HTTP', http);
      return;
    }
    request.status = Number(status);
    const tookMs = latencyMs > 0 ? latencyMs : atMs - request.atMs;
    request.tookMs = tookMs > 0 ? Math.round(tookMs * 1000) / 1000 : undefined;
    request.answerHeaders = message.headers;
    if (message.body.length > 0) {
      const plain = unpack(message.body, headerOf(message.headers, 'content-encoding'), MOST_ANSWER_BODY_BYTES);
      request.answerBody = plain === undefined ? undefined : textOf(plain);
      if (request.answerBody === undefined) this.#sink.bodyLeftOut();
    }
    this.#go(id, request);
  }

  #go(id: string, request: Recorded): void {
    this.#waiting.delete(id);
    this.#waitingChars -= request.body?.length ?? 0;
    this.#sink.request(request, false, false);
  }

  /** What waited too long, or makes the waiting too many; they stand in the order they came. */
  #giveOld(nowMs: number): void {
    for (const [id, request] of this.#waiting) {
      const few = this.#waiting.size < MOST_WAITING && this.#waitingChars < MOST_WAITING_CHARS;
      if (few && request.atMs > nowMs - WAIT_MS) return;
      this.#go(id, request);
    }
  }
}
