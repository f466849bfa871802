import type { IncomingMessage, Server, ServerResponse } from 'node:http';
import type { AddressInfo, Socket } from 'node:net';
import { Pool } from 'undici';
import { type Clock, systemClock } from '../../core/clock.ts';
import { HarnessError, messageOf } from '../../core/errors.ts';
import { Histogram } from '../../core/histogram.ts';
import { nodeHttp } from '../../core/node-http.ts';
import { headerOf } from '../flat-headers.ts';
import type { KeptText } from './kept-body.ts';
import { endToEnd, upstreamHeaders } from './proxy-headers.ts';
import { type ExchangeOutcome, RecordExchange } from './record-exchange.ts';
import type { Recorded } from './recorded.ts';
import { type SessionRule, sessionByHeaders } from './session-rule.ts';

/** An upstream that says nothing for so long is given up; the client gets 504. */
const UPSTREAM_SILENCE_MS = 300_000;
const CONNECT_MS = 10_000;
const CONNECTIONS_MAX = 8192;

export interface RecordProxyOptions {
  /** Where requests go; a path in it is put before theirs. */
  upstream: URL;
  listen: { host: string; port: number };
  session: SessionRule;
  /** Of each body no more is kept. */
  bodyMaxBytes: number;
  /** Takes each request when it is over; not masked yet. */
  record(request: Recorded): void;
  /** Something in recording itself broke: nothing more can be written. */
  failed(error: unknown): void;
  clock?: Clock;
}

export interface RecordCounts {
  recorded: number;
  upstreamFailed: number;
  aborted: number;
  /** Upgrades, CONNECT and what was no request: answered with an error and not recorded. */
  refused: number;
  /** Bodies that are not whole in the recording. */
  cut: number;
}

export interface RecordProxy {
  readonly port: number;
  readonly counts: RecordCounts;
  /** The proxy's own share of each answered request's time, µs. */
  readonly added: Histogram;
  /** When the oldest request that is still under way came, epoch ms; undefined when none is. */
  oldestOpenMs(): number | undefined;
  /** Takes no more requests, gives those under way up to `graceMs`, then ends them. Everything is recorded when it returns. */
  close(graceMs: number): Promise<void>;
}

/** Starts a reverse proxy that records what passes. */
export async function startRecordProxy(options: RecordProxyOptions): Promise<RecordProxy> {
  const proxy = new Recorder(options);
  await proxy.listen();
  return proxy;
}

class Recorder implements RecordProxy {
  readonly counts: RecordCounts = { recorded: 0, upstreamFailed: 0, aborted: 0, refused: 0, cut: 0 };
  readonly added = new Histogram();
  readonly #options: RecordProxyOptions;
  readonly #clock: Clock;
  readonly #pool: Pool;
  readonly #basePath: string;
  readonly #server: Server;
  readonly #open = new Map<RecordExchange, number>();
  readonly #sockets = new Set<Socket>();
  /** Requests that are over and whose bodies are being unpacked. */
  readonly #settling = new Set<Promise<void>>();

  constructor(options: RecordProxyOptions) {
    this.#options = options;
    this.#clock = options.clock ?? systemClock;
    this.#basePath = options.upstream.pathname.replace(/\/$/, '');
    this.#pool = new Pool(options.upstream.origin, {
      connections: null,
      pipelining: 1,
      allowH2: false,
      headersTimeout: UPSTREAM_SILENCE_MS,
      bodyTimeout: UPSTREAM_SILENCE_MS,
      connectTimeout: CONNECT_MS,
    });
    this.#server = nodeHttp.createServer((request, response) => this.#take(request, response));
    this.#server.maxConnections = CONNECTIONS_MAX;
    this.#server.on('upgrade', (_request, socket: Socket) => this.#refuse(socket, '501 Not Implemented'));
    this.#server.on('connect', (_request, socket: Socket) => this.#refuse(socket, '501 Not Implemented'));
    this.#server.on('clientError', (_error, socket: Socket) => this.#refuse(socket, '400 Bad Request'));
    this.#server.on('connection', (socket: Socket) => {
      this.#sockets.add(socket);
      socket.on('close', () => this.#sockets.delete(socket));
    });
  }

  get port(): number {
    return (this.#server.address() as AddressInfo).port;
  }

  async listen(): Promise<void> {
    const { host, port } = this.#options.listen;
    await new Promise<void>((resolve, reject) => {
      this.#server.once('error', (error) => {
        const hint = 'Choose another port with --listen; port 0 takes any free one.';
        reject(new HarnessError('PORT_IN_USE', `${host}:${port}: ${messageOf(error)}`, hint, error));
      });
      this.#server.listen(port, host, resolve);
    });
  }

  oldestOpenMs(): number | undefined {
    // A map keeps the order in which they came.
    return this.#open.values().next().value;
  }

  async close(graceMs: number): Promise<void> {
    const closed = new Promise<void>((resolve) => this.#server.close(() => resolve()));
    this.#server.closeIdleConnections();
    const giveUp = setTimeout(() => {
      for (const exchange of this.#open.keys()) exchange.abort();
      for (const socket of this.#sockets) socket.destroy();
    }, graceMs);
    await closed;
    clearTimeout(giveUp);
    while (this.#settling.size > 0) await Promise.all(this.#settling);
    await this.#pool.destroy();
  }

  #take(request: IncomingMessage, response: ServerResponse): void {
    const path = targetOf(request.url ?? '');
    if (path === undefined) {
      this.counts.refused += 1;
      response.writeHead(400, { connection: 'close' }).end('seawall record: this target has no path\n');
      return;
    }
    const atMs = this.#clock.now();
    const headers = endToEnd(request.rawHeaders);
    const sent = upstreamHeaders(headers, request.socket.remoteAddress ?? 'unknown', this.#options.upstream.host);
    const exchange = new RecordExchange(request, response, {
      bodyMaxBytes: this.#options.bodyMaxBytes,
      endToEnd,
      over: (outcome) => {
        this.#open.delete(exchange);
        const session = sessionByHeaders(this.#options.session, sent);
        this.#settle({ atMs, session, method: request.method ?? 'GET', path, headers }, outcome);
      },
    });
    this.#open.set(exchange, atMs);
    const target = this.#basePath + path;
    try {
      const { method = 'GET' } = request;
      this.#pool.dispatch({ method, path: target, headers: sent, body: exchange.body() }, exchange);
    } catch (thrown) {
      // What this client library cannot write as a request.
      exchange.onResponseError(undefined, thrown as Error);
    }
  }

  #settle(asked: Asked, outcome: ExchangeOutcome): void {
    const settling = this.#record(asked, outcome)
      .catch((thrown: unknown) => this.#options.failed(thrown))
      .finally(() => this.#settling.delete(settling));
    this.#settling.add(settling);
  }

  async #record(asked: Asked, outcome: ExchangeOutcome): Promise<void> {
    const { end, status, answerHeaders, tookMs, addedMs } = outcome;
    const [up, down] = await Promise.all([
      outcome.request.text(headerOf(asked.headers, 'content-encoding')),
      outcome.answer.text(headerOf(answerHeaders, 'content-encoding')),
    ]);
    const half =
      status !== undefined &&
      end !== 'answered' &&
      outcome.answer.bytes > 0 &&
      !answerHeaders.includes('x-seawall-record');
    const cut = half ? `${end} after ${outcome.answer.bytes} bytes` : down.mark;
    this.counts.cut += Number(up.mark !== undefined) + Number(cut !== undefined);
    this.counts.recorded += 1;
    if (end === 'upstream-failed') this.counts.upstreamFailed += 1;
    if (end === 'aborted') this.counts.aborted += 1;
    if (addedMs !== undefined) this.added.record(addedMs * 1000);
    this.#options.record({
      ...asked,
      headers: plainHeaders(asked.headers, up),
      body: up.text,
      // Nobody was told anything where the client went away before the answer.
      status,
      tookMs,
      answerHeaders: plainHeaders(answerHeaders, { text: down.text, mark: cut }),
      answerBody: down.text,
    });
  }

  #refuse(socket: Socket, status: string): void {
    this.counts.refused += 1;
    if (socket.writable) socket.end(`HTTP/1.1 ${status}\r\nconnection: close\r\ncontent-length: 0\r\n\r\n`);
    else socket.destroy();
    // Whoever was refused may go on sending.
    socket.on('error', () => socket.destroy());
  }
}

type Asked = Pick<Recorded, 'atMs' | 'session' | 'method' | 'path' | 'headers'>;

/** The body stands unpacked in the recording; what is not whole says so. */
function plainHeaders(headers: readonly string[], { text, mark }: KeptText): string[] {
  const kept: string[] = [];
  for (let at = 0; at + 1 < headers.length; at += 2) {
    if (text === undefined || headers[at] !== 'content-encoding') kept.push(headers[at]!, headers[at + 1]!);
  }
  return mark === undefined ? kept : [...kept, 'x-seawall-cut', mark];
}

/** Path and query of a request's target, which may be a whole address; undefined for `*` and what is neither. */
function targetOf(url: string): string | undefined {
  if (url.startsWith('/')) return url;
  const rest = /^https?:\/\/[^/?#]*(.*)$/i.exec(url)?.[1];
  if (rest === undefined) return undefined;
  return rest.startsWith('/') ? rest : `/${rest}`;
}
