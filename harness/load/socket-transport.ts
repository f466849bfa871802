import { isIP } from 'node:net';
import { SLOT } from './compiled-journey.ts';
import { type Connection, type Wire, writeTrace } from './connection.ts';
import { type ConnectionPool, poolOf, type Ready } from './connection-pool.ts';
import { asIs, fill, inHeader, joined, literal, type Template, type Value } from './template.ts';
import { SPAN_WORDS, TRACE_WORDS } from './trace.ts';
import type { Receiver, RequestShape, Sender, Sent, Transport } from './transport.ts';
import { WriteBatch } from './write-batch.ts';

/** Written by us, whatever the plan says: they are about the connection and the framing. */
const OURS = new Set(['content-length', 'transfer-encoding', 'keep-alive', 'upgrade', 'te', 'trailer', 'expect']);
const TOKEN = /^[!#$%&'*+\-.^_`|~0-9A-Za-z]+$/;
const MAY_HAVE_BODY = new Set(['POST', 'PUT', 'PATCH']);

/** HTTP/1.1 over kept-alive connections on bare sockets. */
export class SocketTransport implements Transport {
  readonly #pool: ConnectionPool<Connection>;
  readonly #batch = new WriteBatch(setImmediate);
  readonly #hostHeader: string;
  readonly #basePath: string;

  /**
   * `target` is a base URL, http or https; connections go to `by`, where it is given, which leads there. `oneEach`: each
   * request has a right to a connection of its own at once, as those of users have.
   */
  constructor(
    target: string,
    { by, oneEach = false }: { by?: { host: string; port: number }; oneEach?: boolean } = {},
  ) {
    const url = new URL(target);
    const secure = url.protocol === 'https:';
    const host = url.hostname.replace(/^\[(.*)\]$/, '$1');
    const port = url.port === '' ? (secure ? 443 : 80) : Number(url.port);
    // An address is no name that a certificate could be asked for by SNI.
    const tls = secure ? { servername: isIP(host) === 0 ? host : '', session: undefined } : undefined;
    this.#pool = poolOf({ host: by?.host ?? host, port: by?.port ?? port, tls }, this.#batch, oneEach);
    this.#hostHeader = url.host;
    this.#basePath = url.pathname.replace(/\/$/, '');
  }

  admits(): boolean {
    return this.#pool.admits();
  }

  flush(): void {
    this.#batch.flush();
  }

  compile(shape: RequestShape): Sender {
    return new SocketSender(shape, this.#basePath, this.#hostHeader, this.#pool);
  }

  close(): void {
    this.#pool.close();
  }
}

class SocketSender implements Sender {
  readonly #shape: RequestShape;
  readonly #pool: ConnectionPool<Connection>;
  /** Everything before the body; of a body that changes, everything before its length. */
  readonly #head: Template;
  readonly #body: Template | undefined;
  readonly #toHead: boolean;
  readonly #encoding: 'latin1' | 'utf8';
  readonly #wire: Wire | undefined;

  constructor(shape: RequestShape, basePath: string, host: string, pool: ConnectionPool<Connection>) {
    this.#shape = shape;
    this.#pool = pool;
    this.#toHead = shape.method === 'HEAD';
    const head = joined([
      literal(`${shape.method} ${basePath}`),
      writable(shape.path, pathLiteral),
      literal(' HTTP/1.1\r\n'),
      ...headerLines(shape, host),
    ]);
    const { body } = shape;
    this.#encoding = body?.literals.some((text) => !isAscii(text)) === true ? 'utf8' : 'latin1';
    if (body === undefined || body.slots.length === 0) {
      const length = body === undefined ? undefined : Buffer.byteLength(body.literals[0]!);
      const needed = length !== undefined || MAY_HAVE_BODY.has(shape.method);
      const framing = needed ? `content-length: ${length ?? 0}\r\n\r\n` : '\r\n';
      this.#head = joined([head, literal(framing), body ?? literal('')]);
      this.#body = undefined;
    } else {
      this.#head = joined([head, literal('content-length: ')]);
      this.#body = body;
    }
    this.#wire = wireOf(this.#head, this.#body, this.#encoding);
  }

  get writesTrace(): boolean {
    return this.#wire !== undefined;
  }

  send(values: readonly Value[], trace: Uint32Array, receiver: Receiver): Sent {
    const connection = this.#pool.free();
    if (connection === undefined) return this.#pool.queue(this.#ready(values, trace, receiver));
    if (this.#wire === undefined) connection.send(this.#ready(values, trace, receiver));
    else connection.sendWire(this.#wire, trace, this.#toHead, this.#shape.wants, receiver);
    return connection;
  }

  #ready(values: readonly Value[], trace: Uint32Array, receiver: Receiver): Ready {
    const rest = { toHead: this.#toHead, wants: this.#shape.wants, receiver };
    if (this.#wire !== undefined) {
      const data = Buffer.from(this.#wire.bytes);
      writeTrace(data, this.#wire, trace);
      return { data, encoding: this.#encoding, ...rest };
    }
    const head = fill(this.#head, values);
    if (this.#body === undefined) return { data: head, encoding: this.#encoding, ...rest };
    const body = fill(this.#body, values);
    const length = Buffer.byteLength(body);
    const encoding = length === body.length ? this.#encoding : 'utf8';
    return { data: `${head}${length}\r\n\r\n${body}`, encoding, ...rest };
  }
}

/** The bytes of a request in which nothing changes but the trace. */
function wireOf(head: Template, body: Template | undefined, encoding: 'latin1' | 'utf8'): Wire | undefined {
  if (body !== undefined || head.slots.some((slot) => slot !== SLOT.trace && slot !== SLOT.span)) return undefined;
  const traceAt: number[] = [];
  const spanAt: number[] = [];
  let text = head.literals[0]!;
  head.slots.forEach((slot, index) => {
    const trace = slot === SLOT.trace;
    (trace ? traceAt : spanAt).push(Buffer.byteLength(text, encoding));
    text += '0'.repeat((trace ? TRACE_WORDS : SPAN_WORDS) * 8) + head.literals[index + 1]!;
  });
  return { bytes: Buffer.from(text, encoding), traceAt, spanAt };
}

function headerLines(shape: RequestShape, host: string): Template[] {
  const named = shape.headers.some(([name]) => name.toLowerCase() === 'host');
  const lines = named ? [] : [literal(`host: ${host}\r\n`)];
  for (const [name, value] of shape.headers) {
    if (!TOKEN.test(name)) throw new TypeError(`"${name}" cannot be the name of a header`);
    if (OURS.has(name.toLowerCase())) continue;
    lines.push(literal(`${name}: `), writable(value, inHeader), literal('\r\n'));
  }
  return lines;
}

/** The template with its literal text made fit to stand in a request. */
function writable(template: Template, fit: (text: string) => string): Template {
  return { ...template, literals: template.literals.map(fit) };
}

/** What may not stand in a request target as it is, percent-encoded. */
const pathLiteral = (text: string): string => text.replace(/[^\x21-\x7e]/gu, (char) => encodeURIComponent(asIs(char)));

const isAscii = (text: string): boolean => Buffer.byteLength(text) === text.length;
