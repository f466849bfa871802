import { connect, type Socket } from 'node:net';
import type { Expectation } from '../../spi/fault.ts';
import type { Address, Environment, NodeStore } from '../../spi/runtime.ts';
import type { PortName } from '../../spi/topology.ts';
import { portOfLink } from '../exchange.ts';
import { linkOf } from '../targets.ts';

export type Stream = 'upstream' | 'downstream';

/** A link as a probe dials it; plain JSON. */
export interface LinkAddress {
  link: string;
  address: Address;
  port: PortName;
  engine: 'seawall' | 'toxiproxy';
  /** How to log in where a database is behind it. */
  access: NonNullable<NodeStore['access']> | null;
}

/** Where the link of an expectation is dialled. */
export function linkAddress(expectation: Expectation, env: Environment): LinkAddress {
  const link = linkOf(expectation, env);
  const access = env.nodes.get(link.to)?.store?.access ?? null;
  return { link: link.id, address: link.listen, port: portOfLink(link.id), engine: link.proxy.engine, access };
}

/** The streams that an effect's `stream` argument means. */
export function streamsOf(stream: unknown): Stream[] {
  return stream === 'upstream' || stream === 'downstream' ? [stream] : ['upstream', 'downstream'];
}

/** Bytes that arrived together. */
export interface Piece {
  atMs: number;
  bytes: number;
}

/** What one connection saw from the moment it stood (or was refused). Times are of `performance.now`. */
export interface Talk {
  startedAtMs: number;
  connected: boolean;
  pieces: Piece[];
  bytes: number;
  /** `open`: nobody ended it in the time given, or enough had come. */
  end: 'fin' | 'reset' | 'refused' | 'open';
  endedAtMs: number;
}

export interface TalkRules {
  withinMs: number;
  /** Until the handshake is over; absent: all the time there is. */
  connectMs?: number;
  signal: AbortSignal;
  /** Called when the connection stands; `enough`: that was all. */
  begin: (socket: Socket) => unknown;
  /** Called with everything that comes; true: enough, hang up. */
  hear?: (bytes: Buffer, socket: Socket) => boolean;
}

/** One connection of our own, from dialling to its end or ours. Rejects only when aborted. */
export async function talk(address: Address, rules: TalkRules): Promise<Talk> {
  rules.signal.throwIfAborted();
  const socket = connect({ ...address, noDelay: true, allowHalfOpen: true });
  try {
    return await follow(socket, rules);
  } finally {
    socket.destroy();
  }
}

function follow(socket: Socket, { withinMs, connectMs = withinMs, signal, begin, hear }: TalkRules): Promise<Talk> {
  const seen: Talk = {
    startedAtMs: performance.now(),
    connected: false,
    pieces: [],
    bytes: 0,
    end: 'open',
    endedAtMs: 0,
  };
  return new Promise((resolve, reject) => {
    const timer = setTimeout(() => settle('open'), withinMs);
    const handshake = setTimeout(() => seen.connected || settle('open'), connectMs);
    const aborted = (): void => settle('open', signal.reason);
    const settle = (end: Talk['end'], failure?: unknown): void => {
      clearTimeout(timer);
      clearTimeout(handshake);
      signal.removeEventListener('abort', aborted);
      if (failure === undefined) resolve({ ...seen, end, endedAtMs: performance.now() });
      else reject(failure);
    };
    signal.addEventListener('abort', aborted, { once: true });
    socket.once('connect', () => {
      seen.connected = true;
      seen.startedAtMs = performance.now();
      if (begin(socket) === 'enough') settle('open');
    });
    socket.on('data', (bytes: Buffer) => {
      seen.pieces.push({ atMs: performance.now(), bytes: bytes.length });
      seen.bytes += bytes.length;
      if (hear?.(bytes, socket) === true) settle('open');
    });
    socket.once('end', () => settle('fin'));
    socket.on('error', () => settle(seen.connected ? 'reset' : 'refused'));
  });
}

/** Asks for TLS: any PostgreSQL answers one byte; asked twice, it ends the connection. */
export const SSL_REQUEST = Buffer.from([0, 0, 0, 8, 4, 210, 22, 47]);

/** The smallest request that is answered without a login; the connection stays. */
export function smallRequest({ port, address }: LinkAddress): Buffer {
  return port === 'sql' ? SSL_REQUEST : paddedRequest(address, 0);
}

/** A request that keeps the connection, about `bytes` long where that is more than it needs. */
export function paddedRequest({ host }: Address, bytes: number): Buffer {
  const lines = ['GET /ready HTTP/1.1', `Host: ${host}`, 'User-Agent: seawall-probe'];
  const bare = Buffer.byteLength(`${lines.join('\r\n')}\r\nX-Pad: \r\n\r\n`);
  const pad = bytes > bare ? [`X-Pad: ${'x'.repeat(bytes - bare)}`] : [];
  return Buffer.from([...lines, ...pad, '', ''].join('\r\n'));
}

/** A listener for `hear` that is enough when so many answers have begun, wherever they are cut. */
export function answersCounted(wanted: number): (bytes: Buffer) => boolean {
  const begin = /HTTP\/1\.[01] \d{3}/g;
  let tail = '';
  let counted = 0;
  return (bytes) => {
    const text = tail + bytes.toString('latin1');
    let used = 0;
    for (const match of text.matchAll(begin)) {
      counted += 1;
      used = match.index + match[0].length;
    }
    // What could be the beginning of one that is cut here.
    tail = text.slice(Math.max(used, text.length - 11));
    return counted >= wanted;
  };
}
