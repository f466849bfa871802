import type { Probe } from '../../spi/fault.ts';
import type { Json } from '../../spi/json.ts';
import { pollUntil } from '../poll.ts';
import { type LinkAddress, linkAddress, smallRequest, type Talk, talk } from './link-talk.ts';

const TOLERANCE_RATIO = 0.2;
const TOLERANCE_MIN_MS = 60;
const WITHIN_MS = 2000;

interface Request {
  to: LinkAddress;
  how: 'fin' | 'reset';
  afterMs: number;
  withinMs: number;
}

const WORDS: Readonly<Record<Talk['end'], string>> = {
  fin: 'ended by a FIN',
  reset: 'reset',
  refused: 'refused',
  open: 'still open',
};

/** A new connection that sends a request gets no byte and is ended by `args.how` after `args.afterMs` ± 20 %. */
export const linkEnded: Probe = {
  kind: 'link.ended',
  resolve: async (expectation, env) => {
    const { how, afterMs, withinMs = WITHIN_MS } = expectation.args;
    return { to: linkAddress(expectation, env), how, afterMs, withinMs } as unknown as Json;
  },
  measure: (request, signal) => {
    const { to, how, afterMs, withinMs } = request as unknown as Request;
    const toleranceMs = Math.max(TOLERANCE_MIN_MS, TOLERANCE_RATIO * afterMs);
    return pollUntil(withinMs, signal, async () => {
      const seen = await talk(to.address, {
        withinMs: afterMs + 2 * toleranceMs,
        signal,
        begin: (socket) => socket.write(smallRequest(to)),
        hear: () => true,
      });
      const ms = Math.round(seen.endedAtMs - seen.startedAtMs);
      const answered = seen.bytes > 0;
      const holds = !answered && seen.end === how && Math.abs(ms - afterMs) <= toleranceMs;
      const what = answered ? `answered` : WORDS[seen.end];
      const because = `a new connection was ${what} after ${ms} ms, asked: ${WORDS[how]} after ${afterMs} ± ${Math.round(toleranceMs)} ms`;
      return { holds, value: ms, unit: 'ms', because };
    });
  },
};
