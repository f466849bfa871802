import type { IncomingMessage, ServerResponse } from 'node:http';
import { Transform, type TransformCallback } from 'node:stream';
import type { Dispatcher } from 'undici';
import { messageOf } from '../../core/errors.ts';
import { KeptBody } from './kept-body.ts';

/** How an exchange ended. */
export type ExchangeEnd = 'answered' | 'upstream-failed' | 'aborted';

/** What the proxy knows of one request once it is over. Times in ms, of one monotonic clock. */
export interface ExchangeOutcome {
  end: ExchangeEnd;
  status: number | undefined;
  answerHeaders: string[];
  request: KeptBody;
  answer: KeptBody;
  /** From the request's head to the end of the answer. */
  tookMs: number;
  /** The part of it that passed in the proxy itself; undefined where nothing was answered. */
  addedMs: number | undefined;
}

const BAD_GATEWAY = 502;
const GATEWAY_TIMEOUT = 504;

/**
 * One request on its way up and its answer on its way down, piece by piece: neither side is read faster than the other
 * takes it. `over` is called once, whatever happened.
 */
export class RecordExchange implements Dispatcher.DispatchHandler {
  readonly #request: IncomingMessage;
  readonly #response: ServerResponse;
  readonly #over: (outcome: ExchangeOutcome) => void;
  readonly #upKept: KeptBody;
  readonly #downKept: KeptBody;
  readonly #endToEnd: (raw: readonly string[]) => string[];
  readonly #startMs = performance.now();
  #sentMs: number | undefined;
  #lastMs: number | undefined;
  #headMs = 0;
  #controller: Dispatcher.DispatchController | undefined;
  #status: number | undefined;
  #answerHeaders: string[] = [];
  #isOver = false;

  constructor(
    request: IncomingMessage,
    response: ServerResponse,
    options: {
      bodyMaxBytes: number;
      endToEnd: (raw: readonly string[]) => string[];
      over: (outcome: ExchangeOutcome) => void;
    },
  ) {
    this.#request = request;
    this.#response = response;
    this.#over = options.over;
    this.#endToEnd = options.endToEnd;
    this.#upKept = new KeptBody(options.bodyMaxBytes);
    this.#downKept = new KeptBody(options.bodyMaxBytes);
    response.on('close', () => this.#closed());
    response.on('drain', () => this.#controller?.resume());
  }

  /** The request's body as it goes upstream; null where it has none. */
  body(): Transform | null {
    const { headers } = this.#request;
    if (headers['transfer-encoding'] === undefined && (headers['content-length'] ?? '0') === '0') return null;
    const kept = this.#upKept;
    const passing = new Transform({
      transform(chunk: Buffer, _encoding, done: TransformCallback) {
        kept.add(chunk);
        done(null, chunk);
      },
    });
    // A client that goes away leaves half a body: upstream must not take it for a whole one.
    this.#request.on('close', () => {
      if (!this.#request.complete) passing.destroy(new Error('the client went away'));
    });
    passing.on('error', () => this.abort());
    return this.#request.pipe(passing);
  }

  /** Ends it from this side, as when recording stops. */
  abort(): void {
    this.#controller?.abort(new Error('the client went away'));
    this.#response.destroy();
  }

  onRequestStart(controller: Dispatcher.DispatchController): void {
    this.#controller = controller;
    this.#sentMs ??= performance.now();
    if (this.#isOver) controller.abort(new Error('the client went away'));
  }

  onResponseStart(controller: Dispatcher.DispatchController, status: number, _headers: unknown, text?: string): void {
    // 1xx only announces the answer.
    if (status < 200) return;
    const arrivedMs = performance.now();
    this.#status = status;
    this.#answerHeaders = this.#endToEnd(flatHeaders(controller.rawHeaders));
    this.#response.sendDate = false;
    this.#response.writeHead(status, text ?? '', this.#answerHeaders);
    this.#response.flushHeaders();
    this.#headMs = performance.now() - arrivedMs;
  }

  onResponseData(controller: Dispatcher.DispatchController, chunk: Buffer): void {
    this.#lastMs = performance.now();
    this.#downKept.add(chunk);
    // The piece is the parser's, and may wait in the client's queue.
    if (!this.#response.write(Buffer.from(chunk))) controller.pause();
  }

  onResponseEnd(): void {
    this.#lastMs = performance.now();
    this.#response.end();
  }

  onResponseError(_controller: Dispatcher.DispatchController | undefined, error: Error): void {
    if (this.#isOver) return;
    if (this.#response.headersSent) {
      // Half an answer: the client must see that it is one.
      this.#finish('upstream-failed');
      this.#response.destroy();
      return;
    }
    const isLate = /TIMEOUT/.test((error as NodeJS.ErrnoException).code ?? '');
    this.#status = isLate ? GATEWAY_TIMEOUT : BAD_GATEWAY;
    const text = `seawall record: the upstream did not answer: ${messageOf(error)}\n`;
    this.#answerHeaders = ['content-type', 'text/plain; charset=utf-8', 'x-seawall-record', 'upstream-failed'];
    this.#downKept.add(Buffer.from(text));
    this.#response.writeHead(this.#status, this.#answerHeaders);
    this.#finish('upstream-failed');
    this.#response.end(text);
  }

  #closed(): void {
    const answered = this.#response.writableFinished;
    this.#finish(answered ? 'answered' : 'aborted');
    if (!answered) this.#controller?.abort(new Error('the client went away'));
  }

  #finish(end: ExchangeEnd): void {
    if (this.#isOver) return;
    this.#isOver = true;
    const nowMs = performance.now();
    const isMeasured = end === 'answered' && this.#sentMs !== undefined && this.#lastMs !== undefined;
    this.#over({
      end,
      status: this.#status,
      answerHeaders: this.#answerHeaders,
      request: this.#upKept,
      answer: this.#downKept,
      tookMs: nowMs - this.#startMs,
      addedMs: isMeasured ? this.#sentMs! - this.#startMs + this.#headMs + (nowMs - this.#lastMs!) : undefined,
    });
  }
}

/** undici gives bytes or texts, by version and parser. */
function flatHeaders(raw: Dispatcher.DispatchController['rawHeaders']): string[] {
  if (!Array.isArray(raw)) throw new TypeError('the parser gave no raw headers');
  return raw.map((part) => (typeof part === 'string' ? part : part.toString('latin1')));
}
