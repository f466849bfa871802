import type { IncomingMessage, Server, ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { messageOf } from '../core/errors.ts';
import { nodeHttp } from '../core/node-http.ts';
import { formatAddress } from './address.ts';
import { type Parsed, parseProxies, parseProxy, parseProxyPatch, parseToxic, parseToxicPatch } from './body.ts';
import { FaultProxy, type ProxySettings, type ProxyView } from './proxy.ts';
import type { Toxic } from './toxics/toxic.ts';

/** What GET /version says; the API is that of Toxiproxy 2.12. */
export const PROXY_VERSION = 'seawall-0.1.0';

const BODY_MAX_BYTES = 1_000_000;

/** An answer that is not 2xx. */
class ApiError extends Error {
  readonly status: number;
  constructor(status: number, message: string) {
    super(message);
    this.status = status;
  }
}

interface Answer {
  status: number;
  body?: unknown;
}

/** Toxiproxy's HTTP API over proxies of ours. */
export class ProxyServer {
  readonly #settings: ProxySettings;
  readonly #proxies = new Map<string, FaultProxy>();
  readonly #http: Server;
  /** Changes run one after the other, so that no two calls move one listener at once. */
  #turn: Promise<unknown> = Promise.resolve();

  constructor(settings: ProxySettings) {
    this.#settings = settings;
    this.#http = nodeHttp.createServer((request, response) => void this.#serve(request, response));
  }

  /** Resolves with the API's base URL. */
  async listen(host: string, port: number): Promise<string> {
    await new Promise<void>((resolve, reject) => {
      this.#http.once('error', reject);
      this.#http.listen(port, host, resolve);
    });
    const bound = this.#http.address() as AddressInfo;
    return `http://${formatAddress(bound.address, bound.port)}`;
  }

  async close(): Promise<void> {
    this.#http.close();
    this.#http.closeAllConnections();
    await Promise.all([...this.#proxies.values()].map((proxy) => proxy.disable()));
  }

  async #serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
    let answer: Answer;
    try {
      const body = await readBody(request);
      answer = await this.#inTurn(() => this.#route(request, body));
    } catch (thrown) {
      const status = thrown instanceof ApiError ? thrown.status : 500;
      answer = { status, body: { error: messageOf(thrown), status } };
    }
    const text = answer.body === undefined ? '' : JSON.stringify(answer.body);
    response.writeHead(answer.status, text === '' ? {} : { 'content-type': 'application/json' });
    response.end(text);
  }

  #inTurn<T>(work: () => Promise<T>): Promise<T> {
    const result = this.#turn.then(work);
    // The next turn comes whether this one went well or not; its caller hears of a failure.
    this.#turn = result.then(
      () => undefined,
      () => undefined,
    );
    return result;
  }

  async #route(request: IncomingMessage, body: string): Promise<Answer> {
    if (request.headers['user-agent']?.startsWith('Mozilla/') === true) {
      throw new ApiError(403, 'User agent not allowed');
    }
    const path = new URL(request.url ?? '/', 'http://api').pathname.split('/').slice(1).map(decode);
    const method = request.method === 'PATCH' ? 'POST' : (request.method ?? 'GET');
    const [head, name, sub, toxicName] = path;
    if (path.length === 1 && head === 'version') return this.#only(method, 'GET', () => this.#version());
    if (path.length === 1 && head === 'reset') return this.#only(method, 'POST', () => this.#reset());
    if (path.length === 1 && head === 'populate') return this.#only(method, 'POST', () => this.#populate(json(body)));
    if (head !== 'proxies' || path.length > 4) throw new ApiError(404, 'not found');
    if (name === undefined) return this.#collection(method, body);
    const proxy = this.#proxies.get(name);
    if (proxy === undefined) throw new ApiError(404, 'proxy not found');
    if (sub === undefined) return this.#one(method, proxy, body);
    if (sub !== 'toxics') throw new ApiError(404, 'not found');
    if (toxicName === undefined) return this.#toxics(method, proxy, body);
    const toxic = proxy.findToxic(toxicName);
    if (toxic === undefined) throw new ApiError(404, 'toxic not found');
    return this.#toxic(method, proxy, toxic, body);
  }

  async #only(method: string, wanted: string, work: () => Promise<Answer>): Promise<Answer> {
    if (method !== wanted) throw new ApiError(405, 'method not allowed');
    return work();
  }

  async #version(): Promise<Answer> {
    return { status: 200, body: { version: PROXY_VERSION } };
  }

  async #reset(): Promise<Answer> {
    for (const proxy of this.#proxies.values()) {
      for (const toxic of proxy.toxics) proxy.removeToxic(toxic);
      await proxy.enable();
    }
    return { status: 204 };
  }

  /** All bodies are checked before anything is changed; a listener that fails stops it with what is done so far. */
  async #populate(body: unknown): Promise<Answer> {
    const views = expectParsed(parseProxies(body));
    const done: ProxyView[] = [];
    for (const view of views) {
      try {
        done.push((await this.#put(view, isToxicsGiven(body, view.name))).view());
      } catch (thrown) {
        return { status: 500, body: { error: messageOf(thrown), status: 500, proxies: done } };
      }
    }
    return { status: 201, body: { proxies: done } };
  }

  /** A proxy of that name as `view` says: kept with its connections where only toxics or `enabled` differ. */
  async #put(view: ProxyView, toxicsGiven: boolean): Promise<FaultProxy> {
    const found = this.#proxies.get(view.name);
    if (found?.matches(view.listen, view.upstream)) {
      if (toxicsGiven) {
        for (const toxic of found.toxics) found.removeToxic(toxic);
        for (const toxic of view.toxics) found.addToxic(toxic);
      }
      await (view.enabled ? found.enable() : found.disable());
      return found;
    }
    await found?.disable();
    this.#proxies.delete(view.name);
    return this.#create(view);
  }

  async #create(view: ProxyView): Promise<FaultProxy> {
    const proxy = new FaultProxy(view, this.#settings);
    // The toxics are in it before it listens: no connection ever passes without them.
    if (view.enabled) await proxy.enable();
    this.#proxies.set(view.name, proxy);
    return proxy;
  }

  async #collection(method: string, body: string): Promise<Answer> {
    if (method === 'GET') {
      const views = [...this.#proxies.values()].map((proxy) => [proxy.name, proxy.view()]);
      return { status: 200, body: Object.fromEntries(views) };
    }
    if (method !== 'POST') throw new ApiError(405, 'method not allowed');
    const view = expectParsed(parseProxy(json(body)));
    if (this.#proxies.has(view.name)) throw new ApiError(409, 'proxy already exists');
    return { status: 201, body: (await this.#create(view)).view() };
  }

  async #one(method: string, proxy: FaultProxy, body: string): Promise<Answer> {
    if (method === 'DELETE') {
      await proxy.disable();
      this.#proxies.delete(proxy.name);
      return { status: 204 };
    }
    if (method === 'POST') {
      const patch = expectParsed(parseProxyPatch(json(body)));
      const now = proxy.view();
      const [listen, upstream] = [patch.listen ?? now.listen, patch.upstream ?? now.upstream];
      if (!proxy.matches(listen, upstream)) await proxy.move(listen, upstream);
      if (patch.enabled !== undefined) await (patch.enabled ? proxy.enable() : proxy.disable());
    } else if (method !== 'GET') throw new ApiError(405, 'method not allowed');
    return { status: 200, body: proxy.view() };
  }

  async #toxics(method: string, proxy: FaultProxy, body: string): Promise<Answer> {
    if (method === 'GET') return { status: 200, body: proxy.toxics };
    if (method !== 'POST') throw new ApiError(405, 'method not allowed');
    const toxic = expectParsed(parseToxic(json(body)));
    if (proxy.findToxic(toxic.name) !== undefined) throw new ApiError(409, 'toxic already exists');
    proxy.addToxic(toxic);
    return { status: 200, body: toxic };
  }

  async #toxic(method: string, proxy: FaultProxy, toxic: Toxic, body: string): Promise<Answer> {
    if (method === 'GET') return { status: 200, body: toxic };
    if (method === 'DELETE') {
      proxy.removeToxic(toxic);
      return { status: 204 };
    }
    if (method !== 'POST') throw new ApiError(405, 'method not allowed');
    const { attributes, toxicity } = expectParsed(parseToxicPatch(json(body), toxic));
    return { status: 200, body: proxy.updateToxic(toxic, attributes, toxicity) };
  }
}

async function readBody(request: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = [];
  let bytes = 0;
  for await (const chunk of request as AsyncIterable<Buffer>) {
    bytes += chunk.length;
    if (bytes > BODY_MAX_BYTES) throw new ApiError(413, `body larger than ${BODY_MAX_BYTES} bytes`);
    chunks.push(chunk);
  }
  return Buffer.concat(chunks).toString('utf8');
}

function json(body: string): unknown {
  try {
    return JSON.parse(body);
  } catch (thrown) {
    throw new ApiError(400, `bad request body: ${messageOf(thrown)}`);
  }
}

function decode(part: string): string {
  try {
    return decodeURIComponent(part);
  } catch {
    throw new ApiError(400, 'bad percent-encoding in the path');
  }
}

function expectParsed<T>(parsed: Parsed<T>): T {
  if (parsed.ok) return parsed.value;
  throw new ApiError(400, `bad request body: ${parsed.problems.join('; ')}`);
}

function isToxicsGiven(body: unknown, name: string): boolean {
  return (body as { name: string; toxics?: unknown }[]).some((one) => one.name === name && one.toxics !== undefined);
}
