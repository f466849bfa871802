import { HarnessError } from '../../core/errors.ts';
import { formatCount } from '../../core/units.ts';
import type { Measurement, Probe } from '../../spi/fault.ts';
import type { Json } from '../../spi/json.ts';
import { pollUntil } from '../poll.ts';
import { type Flow, flowDown, flowUp } from './link-flow.ts';
import { type LinkAddress, linkAddress, type Stream, streamsOf } from './link-talk.ts';

/** A measurement moves what the rate asked would carry in this time, but no more than a service answers at once. */
const MOVE_MS = 700;
const MOVE_MAX_BYTES = 128 * 1024;
const FLOW_MS = 2000;
const WITHIN_MS = 2500;
const TOLERANCE_RATIO = 0.2;
/** Healthy, a link must carry more than what is asked by this, or nothing could be told. */
const HEALTHY_RATIO = 2;
/** Gone, it carries more than was asked by this. */
const GONE_RATIO = 1.4;

interface Request {
  to: LinkAddress;
  streams: Stream[];
  bytesPerSecond: number;
  expect: 'limited' | 'free';
  withinMs: number;
}

/**
 * What one connection over the link carries, in bytes a second, each stream by itself. `args.bytesPerSecond` with
 * `stream`: that much ± 20 %; with `gone: true`: more than that again.
 */
export const linkThroughput: Probe = {
  kind: 'link.throughput',
  resolve: async (expectation, env) => {
    const { bytesPerSecond, stream = 'both', gone = false, withinMs = WITHIN_MS } = expectation.args;
    const request: Request = {
      to: linkAddress(expectation, env),
      streams: streamsOf(stream),
      bytesPerSecond: Number(bytesPerSecond),
      expect: gone === true ? 'free' : 'limited',
      withinMs: Number(withinMs),
    };
    if (request.expect === 'limited') await expectCapacity(request);
    return request as unknown as Json;
  },
  measure: (request, signal) => {
    const asked = request as unknown as Request;
    return pollUntil(asked.withinMs, signal, () => measure(asked, signal));
  },
};

/** The healthy link must be able to show the difference. */
async function expectCapacity(request: Request): Promise<void> {
  for (const stream of request.streams) {
    const rate = await rateOf(request, stream, AbortSignal.timeout(2 * FLOW_MS));
    if (rate >= HEALTHY_RATIO * request.bytesPerSecond) continue;
    const asked = `${rateText(request.bytesPerSecond)} asked`;
    throw new HarnessError(
      'PROBE_FAILED',
      `before the fault ${request.to.link} carried ${rateText(rate)} ${stream}: too little to tell it from ${asked}`,
      'Ask for a lower rate: what is behind the link must be able to send twice as much.',
    );
  }
}

async function measure(request: Request, signal: AbortSignal): Promise<Measurement> {
  const { streams, bytesPerSecond: asked, expect } = request;
  const rates: number[] = [];
  // One after the other: the answers of one would share the line with the other's.
  for (const stream of streams) rates.push(await rateOf(request, stream, signal));
  const offBy = (rate: number): number => (expect === 'free' ? -rate : Math.abs(rate - asked));
  const worst = rates.toSorted((a, b) => offBy(b) - offBy(a))[0]!;
  const holds = expect === 'free' ? worst > GONE_RATIO * asked : offBy(worst) <= TOLERANCE_RATIO * asked;
  const parts = rates.map((rate, index) => `${rateText(rate)} ${streams[index]}`).join(' and ');
  const because = `one connection carried ${parts}, ${expect === 'free' ? 'limited before to' : 'asked'} ${rateText(asked)}`;
  return { holds, value: Math.round(worst), unit: 'B/s', because };
}

/** Bytes a second of one stream; a flow that did not end in time counts what had come. */
async function rateOf({ to, bytesPerSecond }: Request, stream: Stream, signal: AbortSignal): Promise<number> {
  const bytes = Math.min(MOVE_MAX_BYTES, Math.ceil((bytesPerSecond * MOVE_MS) / 1000));
  if (stream === 'upstream') {
    const up = await flowUp(to, bytes, FLOW_MS, signal);
    return up.whole ? (up.bytes * 1000) / up.ms : 0;
  }
  return arrivalRate(await flowDown(to, bytes, FLOW_MS, signal));
}

/** From the first arrival on where it all came spread over time, else from the beginning: never above the truth by much. */
function arrivalRate({ startedAtMs, pieces }: Flow): number {
  const [first, last] = [pieces[0], pieces.at(-1)];
  if (first === undefined || last === undefined) return 0;
  const all = pieces.reduce((sum, piece) => sum + piece.bytes, 0);
  const [spreadMs, wholeMs] = [last.atMs - first.atMs, Math.max(1, last.atMs - startedAtMs)];
  return spreadMs > wholeMs / 2 ? ((all - first.bytes) * 1000) / spreadMs : (all * 1000) / wholeMs;
}

function rateText(rate: number): string {
  return `${formatCount(Math.round(rate / 100) / 10)} KB/s`;
}
