import { connect, type Socket } from 'node:net';
import type { Address } from '../spi/runtime.ts';
import type { PortName } from '../spi/topology.ts';

/** What the other side of one connection did within a time. */
export interface Exchange {
  /** `byte`: it answered; `end`: FIN or RST before any byte; `refused`: no connection; `silence`: none of these. */
  outcome: 'byte' | 'end' | 'refused' | 'silence';
  /** From the request's sending to that, or the whole time for silence. */
  ms: number;
}

/** Asks for TLS: any PostgreSQL answers one byte, before it wants to know who is asking. */
const SSL_REQUEST = Buffer.from([0, 0, 0, 8, 4, 210, 22, 47]);

/** A small request that needs no login; the first byte of its answer says that somebody is there. */
export function requestFor(port: PortName, { host }: Address, keep: 'close' | 'keep-alive' = 'close'): Buffer {
  if (port === 'sql') return SSL_REQUEST;
  const lines = ['GET /ready HTTP/1.1', `Host: ${host}`, 'User-Agent: seawall-probe', `Connection: ${keep}`, '', ''];
  return Buffer.from(lines.join('\r\n'));
}

/** One connection, one small request that needs no login, the first thing that comes back. Rejects when aborted. */
export async function exchange(
  address: Address,
  port: PortName,
  withinMs: number,
  signal: AbortSignal,
): Promise<Exchange> {
  signal.throwIfAborted();
  const socket = connect({ ...address, noDelay: true });
  try {
    return await firstOf(socket, requestFor(port, address), withinMs, signal);
  } finally {
    socket.destroy();
  }
}

function firstOf(socket: Socket, request: Buffer, withinMs: number, signal: AbortSignal): Promise<Exchange> {
  return new Promise((resolve, reject) => {
    let sentAtMs = performance.now();
    let connected = false;
    const timer = setTimeout(() => settle('silence'), withinMs);
    const aborted = (): void => settle('silence', signal.reason);
    const settle = (outcome: Exchange['outcome'], failure?: unknown): void => {
      clearTimeout(timer);
      signal.removeEventListener('abort', aborted);
      if (failure === undefined) resolve({ outcome, ms: performance.now() - sentAtMs });
      else reject(failure);
    };
    signal.addEventListener('abort', aborted, { once: true });
    socket.once('connect', () => {
      connected = true;
      sentAtMs = performance.now();
      socket.write(request);
    });
    socket.once('data', () => settle('byte'));
    socket.once('end', () => settle('end'));
    socket.on('error', () => settle(connected ? 'end' : 'refused'));
  });
}

/** Which port a link leads to: its id says so. */
export function portOfLink(link: string): PortName {
  if (link.endsWith(':sql')) return 'sql';
  return link.endsWith(':control') ? 'control' : 'http';
}
