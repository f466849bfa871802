import { type Dispatcher, Pool } from 'undici';
import type { BadClass } from '../spi/load.ts';
import type { Answer, HttpRequest, Transport } from './transport.ts';

/** Room for undici's connect timer, which is coarse; the deadline that counts is the executor's. */
const CONNECT_GRACE_MS = 1000;

const CLASSES: Readonly<Record<string, BadClass>> = {
  ECONNREFUSED: 'refused',
  EHOSTUNREACH: 'refused',
  ENETUNREACH: 'refused',
  ENOTFOUND: 'dns',
  EAI_AGAIN: 'dns',
  EAI_FAIL: 'dns',
  UND_ERR_CONNECT_TIMEOUT: 'timeout',
  ETIMEDOUT: 'timeout',
  UND_ERR_RES_CONTENT_LENGTH_MISMATCH: 'reset',
  UND_ERR_HEADERS_OVERFLOW: 'body',
};

/**
 * HTTP/1.1 over kept-alive connections, as many as there are requests at once, so that no request ever waits for
 * another one's answer. Never retries and never follows a redirect.
 */
export class HttpTransport implements Transport {
  readonly #pool: Pool;
  readonly #basePath: string;

  /** `withinMs` bounds how long a connection attempt outlives the request it was made for. */
  constructor(target: string, withinMs: number) {
    const url = new URL(target);
    this.#basePath = url.pathname.replace(/\/$/, '');
    this.#pool = new Pool(url.origin, {
      connections: null,
      pipelining: 1,
      allowH2: false,
      headersTimeout: 0,
      bodyTimeout: 0,
      connectTimeout: withinMs + CONNECT_GRACE_MS,
    });
  }

  send(request: HttpRequest, done: (answer: Answer) => void): () => void {
    const exchange = new Exchange(request.bodyMax, done);
    const { method, headers, body } = request;
    const path = this.#basePath + (request.path.startsWith('/') ? request.path : `/${request.path}`);
    try {
      this.#pool.dispatch({ method, path, headers, body: body ?? null } as Dispatcher.DispatchOptions, exchange);
    } catch (thrown) {
      // What cannot be written as a request (a header or path that is not one) was never sent, and says so.
      exchange.onResponseError(undefined, thrown as Error);
    }
    return () => exchange.destroy();
  }
}

class Exchange implements Dispatcher.DispatchHandler {
  readonly #bodyMax: number;
  #done: ((answer: Answer) => void) | undefined;
  #controller: Dispatcher.DispatchController | undefined;
  #status: number | null = null;
  #chunks: Buffer[] = [];
  #kept = 0;
  #cut = false;

  constructor(bodyMax: number, done: (answer: Answer) => void) {
    this.#bodyMax = bodyMax;
    this.#done = done;
  }

  /** No answer is wanted any more. One that is still connecting is stopped before it is written. */
  destroy(): void {
    this.#done = undefined;
    this.#chunks = [];
    this.#controller?.abort(new Error('destroyed at its deadline'));
  }

  onRequestStart(controller: Dispatcher.DispatchController): void {
    this.#controller = controller;
    if (this.#done === undefined) controller.abort(new Error('destroyed before it was sent'));
  }

  onResponseStart(_controller: Dispatcher.DispatchController, status: number): void {
    // 1xx only announces the answer.
    if (status >= 200) this.#status = status;
  }

  onResponseData(_controller: Dispatcher.DispatchController, chunk: Buffer): void {
    const room = this.#bodyMax - this.#kept;
    if (chunk.length > room) this.#cut = true;
    if (room <= 0 || this.#done === undefined) return;
    // A copy: the parser's buffer is used again.
    const kept = Buffer.from(chunk.subarray(0, room));
    this.#kept += kept.length;
    this.#chunks.push(kept);
  }

  onResponseEnd(): void {
    this.#finish({ ok: true, status: this.#status ?? 0, body: this.#text(), cut: this.#cut });
  }

  onResponseError(_controller: Dispatcher.DispatchController | undefined, error: Error): void {
    const body = this.#kept === 0 ? null : this.#text();
    this.#finish({ ok: false, class: classOf(error), status: this.#status, body });
  }

  #text(): string {
    return Buffer.concat(this.#chunks).toString('utf8');
  }

  #finish(answer: Answer): void {
    const done = this.#done;
    this.#done = undefined;
    done?.(answer);
  }
}

/** The class of a broken request; several addresses tried come as one error with the last one's code. */
export function classOf(error: Error): BadClass {
  const { code } = error as NodeJS.ErrnoException;
  if (error.name === 'HTTPParserError' || code?.startsWith('HPE_') === true) return 'body';
  const known = code === undefined ? undefined : CLASSES[code];
  if (known !== undefined) return known;
  const inner = error instanceof AggregateError ? (error.errors.at(-1) as unknown) : error.cause;
  return inner instanceof Error ? classOf(inner) : 'reset';
}
