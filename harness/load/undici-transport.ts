import { type Dispatcher, Pool, ProxyAgent } from 'undici';
import { classOf } from './failure-class.ts';
import type { AnswerWants } from './response-parser.ts';
import { fill, type Value } from './template.ts';
import type { Answer, Receiver, RequestShape, Sender, Sent, Transport } from './transport.ts';

/** Room for undici's connect timer, which is coarse; the deadline that counts is the executor's. */
const CONNECT_GRACE_MS = 1000;
/** Requests at once on one HTTP/2 connection, as servers usually allow. */
const STREAMS_MAX = 100;

export interface UndiciOptions {
  http2: boolean;
  /** URL of an HTTP proxy that the requests go through. */
  proxy: string | undefined;
  /** Bounds how long a connection attempt outlives the request that it was made for. */
  withinMs: number;
}

/** What our own sockets do not speak: HTTP/2 over TLS, and HTTP through a proxy. Never retries and never follows a redirect. */
export class UndiciTransport implements Transport {
  readonly #dispatcher: Pool | ProxyAgent;
  readonly #origin: string;
  readonly #basePath: string;

  constructor(target: string, { http2, proxy, withinMs }: UndiciOptions) {
    const url = new URL(target);
    this.#origin = url.origin;
    this.#basePath = url.pathname.replace(/\/$/, '');
    const limits = { headersTimeout: 0, bodyTimeout: 0, connectTimeout: withinMs + CONNECT_GRACE_MS };
    const shape = http2
      ? { allowH2: true, pipelining: STREAMS_MAX, connections: null }
      : { allowH2: false, pipelining: 1, connections: null };
    this.#dispatcher =
      proxy === undefined
        ? new Pool(url.origin, { ...limits, ...shape })
        : new ProxyAgent({ uri: proxy, ...limits, ...shape });
  }

  compile(shape: RequestShape): Sender {
    return { writesTrace: false, send: (values, _trace, receiver) => this.#send(shape, values, receiver) };
  }

  close(): void {
    // Whatever is still open there is of no interest to anybody; the process ends with it.
    void this.#dispatcher.destroy();
  }

  #send(shape: RequestShape, values: readonly Value[], receiver: Receiver): Sent {
    const exchange = new Exchange(shape.wants, receiver);
    const path = this.#basePath + fill(shape.path, values);
    const headers = Object.fromEntries(shape.headers.map(([name, value]) => [name, fill(value, values)]));
    const body = shape.body === undefined ? null : fill(shape.body, values);
    const { method } = shape;
    const options = { origin: this.#origin, method, path, headers, body } as Dispatcher.DispatchOptions;
    try {
      this.#dispatcher.dispatch(options, exchange);
    } catch (thrown) {
      // What cannot be written as a request (a header or path that is not one) was never sent, and says so.
      setImmediate(() => exchange.onResponseError(undefined, thrown as Error));
    }
    return exchange;
  }
}

class Exchange implements Dispatcher.DispatchHandler, Sent {
  readonly #wants: AnswerWants;
  #receiver: Receiver | undefined;
  #controller: Dispatcher.DispatchController | undefined;
  #status: number | null = null;
  #headers: string[] = [];
  #chunks: Buffer[] = [];
  #room = 0;
  #cut = false;

  constructor(wants: AnswerWants, receiver: Receiver) {
    this.#wants = wants;
    this.#receiver = receiver;
  }

  /** One that is still connecting is stopped before it is written. */
  cancel(): void {
    this.#receiver = undefined;
    this.#chunks = [];
    this.#controller?.abort(new Error('destroyed at its deadline'));
  }

  onRequestStart(controller: Dispatcher.DispatchController): void {
    this.#controller = controller;
    if (this.#receiver === undefined) controller.abort(new Error('destroyed before it was sent'));
  }

  onResponseStart(
    _controller: Dispatcher.DispatchController,
    status: number,
    headers: Record<string, string | string[] | undefined>,
  ): void {
    // 1xx only announces the answer.
    if (status < 200) return;
    const { expect, bodyMax, otherBodyMax } = this.#wants;
    this.#status = status;
    this.#room = expect.includes(status) ? bodyMax : otherBodyMax;
    if (this.#wants.headers) this.#headers = flat(headers);
  }

  onResponseData(_controller: Dispatcher.DispatchController, chunk: Buffer): void {
    const wanted = Math.min(this.#room, chunk.length);
    if (wanted < chunk.length) this.#cut = true;
    if (wanted <= 0 || this.#receiver === undefined) return;
    this.#room -= wanted;
    // A copy: the parser's buffer is used again.
    this.#chunks.push(Buffer.from(chunk.subarray(0, wanted)));
  }

  onResponseEnd(): void {
    const headers = this.#headers;
    this.#finish({ ok: true, status: this.#status ?? 0, body: this.#text(), cut: this.#cut, headers });
  }

  onResponseError(_controller: Dispatcher.DispatchController | undefined, error: Error): void {
    const body = this.#chunks.length === 0 ? null : this.#text();
    this.#finish({ ok: false, class: classOf(error), status: this.#status, body });
  }

  #text(): string {
    return Buffer.concat(this.#chunks).toString('utf8');
  }

  #finish(answer: Answer): void {
    const receiver = this.#receiver;
    this.#receiver = undefined;
    receiver?.answered(answer);
  }
}

function flat(headers: Record<string, string | string[] | undefined>): string[] {
  return Object.entries(headers).flatMap(([name, value]) =>
    [value ?? []].flat().flatMap((one) => [name.toLowerCase(), one]),
  );
}
