import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo, Socket } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';

export interface Seen {
  method: string;
  url: string;
  headers: IncomingMessage['headers'];
  body: string;
  atMs: number;
}

/**
 * A small server on loopback whose paths say how it behaves: `/after/<ms>`, `/status/<code>`, `/reset`, `/half`, `/slow-body`,
 * `/silent`, `/garbage`, `/take`, `/signed`. It stalls as a whole while `stalled` holds it.
 */
export class LoadServer {
  readonly seen: Seen[] = [];
  readonly #server: Server;
  readonly #sockets = new Set<Socket>();
  #stall: Promise<unknown> = Promise.resolve();

  private constructor() {
    this.#server = createServer((request, response) => {
      this.#answer(request, response).catch(() => response.destroy());
    });
    this.#server.on('connection', (socket) => {
      this.#sockets.add(socket);
      socket.on('close', () => this.#sockets.delete(socket));
    });
  }

  static async open(): Promise<LoadServer> {
    const opened = new LoadServer();
    await new Promise<void>((resolve) => opened.#server.listen(0, '127.0.0.1', resolve));
    return opened;
  }

  get url(): string {
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
  }

  get connections(): number {
    return this.#sockets.size;
  }

  /** Nothing is answered for so long, whatever came before or comes meanwhile. */
  stallFor(ms: number): void {
    this.#stall = sleep(ms);
  }

  async close(): Promise<void> {
    for (const socket of this.#sockets) socket.destroy();
    await new Promise((resolve) => this.#server.close(resolve));
  }

  async #answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const atMs = Date.now();
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk as Buffer);
    const url = request.url ?? '';
    const body = Buffer.concat(chunks).toString();
    this.seen.push({ method: request.method ?? '', url, headers: request.headers, body, atMs });
    await this.#stall;
    const [, what = '', value = ''] = url.split('/');
    await BEHAVIOURS[what]!(response, value, this.seen.length);
  }
}

const BEHAVIOURS: Record<string, (response: ServerResponse, value: string, nth: number) => Promise<void> | void> = {
  '': (response) => {
    response.end('here');
  },
  after: async (response, value) => {
    await sleep(Number(value));
    response.end('ok');
  },
  status: (response, value) => {
    response.statusCode = Number(value);
    response.end('{"password":"hunter2","mail":"a.user@example.org","card":4111111111111111}');
  },
  reset: (response) => {
    response.socket?.resetAndDestroy();
  },
  half: (response) => {
    response.writeHead(200, { 'content-length': '100' });
    response.write('half');
    setTimeout(() => response.destroy(), 20);
  },
  'slow-body': (response) => {
    response.writeHead(200, { 'content-length': '100' });
    response.write('never more');
  },
  silent: () => {},
  garbage: (response) => {
    response.socket?.end('this is not HTTP\r\n\r\n');
  },
  take: (response, _value, nth) => {
    response.statusCode = 201;
    response.end(JSON.stringify({ order: { id: `o-${nth}` } }));
  },
  signed: (response) => {
    response.writeHead(200, { 'x-token': 't-1', 'set-cookie': 'visit=v-1; Path=/' });
    response.end(JSON.stringify({ items: [1, 2, 3], total: 3, text: 'word=blue' }));
  },
};
