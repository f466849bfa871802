import type { Measurement, Probe } from '../../spi/fault.ts';
import type { Json } from '../../spi/json.ts';
import type { Address } from '../../spi/runtime.ts';
import { pollUntil } from '../poll.ts';
import { type LinkAddress, linkAddress, SSL_REQUEST, type Stream, smallRequest, type Talk, talk } from './link-talk.ts';

const TOLERANCE_RATIO = 0.2;
const TOLERANCE_MIN_MS = 40;
const WITHIN_MS = 2000;

interface Request {
  to: LinkAddress;
  /** Whose end is late: the server's (downstream) or our own. */
  stream: Stream;
  delayMs: number;
  gone: boolean;
  withinMs: number;
}

/**
 * From the last byte of an answer to the connection's end, where the server ends it; with `stream: upstream` from our own
 * end to the server's answer to it. `args.delayMs` ± 20 %; with `gone: true` less than half of it.
 */
export const linkCloseDelay: Probe = {
  kind: 'link.close-delay',
  resolve: async (expectation, env) => {
    const { delayMs, stream, gone = false, withinMs = WITHIN_MS } = expectation.args;
    const side = stream === 'upstream' ? 'upstream' : 'downstream';
    return { to: linkAddress(expectation, env), stream: side, delayMs, gone, withinMs } as unknown as Json;
  },
  measure: (request, signal) => {
    const asked = request as unknown as Request;
    return pollUntil(asked.withinMs, signal, () => measure(asked, signal));
  },
};

async function measure({ to, stream, delayMs, gone }: Request, signal: AbortSignal): Promise<Measurement> {
  const toleranceMs = Math.max(TOLERANCE_MIN_MS, TOLERANCE_RATIO * delayMs);
  const withinMs = delayMs + 2 * toleranceMs + 1000;
  const { seen, fromMs } = await (stream === 'upstream' ? ourEnd(to, withinMs, signal) : itsEnd(to, withinMs, signal));
  const ms = Math.round(seen.endedAtMs - fromMs);
  const ended = seen.end === 'fin' || seen.end === 'reset';
  const fits = gone ? ms < delayMs / 2 : Math.abs(ms - delayMs) <= toleranceMs;
  const what = ended ? `came ${ms} ms after it was due` : `did not come within ${ms} ms`;
  const because = `the ${stream} end of a connection ${what}, asked ${delayMs} ± ${Math.round(toleranceMs)} ms`;
  return { holds: ended && seen.bytes > 0 && fits, value: ms, unit: 'ms', because };
}

interface Ended {
  seen: Talk;
  /** When the end was due. */
  fromMs: number;
}

async function itsEnd(to: LinkAddress, withinMs: number, signal: AbortSignal): Promise<Ended> {
  const request = to.port === 'sql' ? Buffer.concat([SSL_REQUEST, SSL_REQUEST]) : closingRequest(to.address);
  const seen = await talk(to.address, { withinMs, signal, begin: (socket) => socket.write(request) });
  return { seen, fromMs: seen.pieces.at(-1)?.atMs ?? seen.startedAtMs };
}

async function ourEnd(to: LinkAddress, withinMs: number, signal: AbortSignal): Promise<Ended> {
  let fromMs = performance.now();
  const seen = await talk(to.address, {
    withinMs,
    signal,
    begin: (socket) => socket.write(smallRequest(to)),
    hear: (_bytes, socket) => {
      if (!socket.writableEnded) {
        fromMs = performance.now();
        socket.end();
      }
      return false;
    },
  });
  return { seen, fromMs };
}

function closingRequest({ host }: Address): Buffer {
  const lines = ['GET /ready HTTP/1.1', `Host: ${host}`, 'User-Agent: seawall-probe', 'Connection: close', '', ''];
  return Buffer.from(lines.join('\r\n'));
}
