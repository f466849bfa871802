import type { Measurement, Probe } from '../../spi/fault.ts';
import type { Json } from '../../spi/json.ts';
import { pollUntil } from '../poll.ts';
import { flowDown, flowUp } from './link-flow.ts';
import { type LinkAddress, linkAddress, type Stream, streamsOf } from './link-talk.ts';

/** Pieces that a measurement waits for. */
const PIECES = 12;
const FLOW_MS = 4000;
const WITHIN_MS = 2500;
const TOLERANCE_RATIO = 0.25;
const TOLERANCE_MIN_MS = 3;

interface Request {
  to: LinkAddress;
  streams: Stream[];
  sizeBytes: number;
  variationBytes: number;
  delayMs: number;
  gone: boolean;
  withinMs: number;
}

/** The middle one: a piece now and then arrives with the next. */
const median = (values: readonly number[]): number => values.toSorted((a, b) => a - b)[values.length >> 1] ?? 0;

/**
 * Whether what passes comes in pieces of `args.sizeBytes` ± `variationBytes` with `delayMs` between them: seen piece by
 * piece downstream, by the time that a request of a known size takes upstream. `gone: true`: it does not any more.
 */
export const linkSliced: Probe = {
  kind: 'link.sliced',
  resolve: async (expectation, env) => {
    const { stream = 'both', gone = false, withinMs = WITHIN_MS } = expectation.args;
    const request: Request = {
      to: linkAddress(expectation, env),
      streams: streamsOf(stream),
      sizeBytes: Number(expectation.args.sizeBytes),
      variationBytes: Number(expectation.args.variationBytes ?? 0),
      delayMs: Number(expectation.args.delayMs),
      gone: gone === true,
      withinMs: Number(withinMs),
    };
    return request as unknown as Json;
  },
  measure: (request, signal) => {
    const asked = request as unknown as Request;
    return pollUntil(asked.withinMs, signal, async () => {
      const found: Measurement[] = [];
      for (const stream of asked.streams) {
        found.push(await (stream === 'upstream' ? upstream(asked, signal) : downstream(asked, signal)));
      }
      const worst = found.find(({ holds }) => !holds) ?? found.at(-1)!;
      return { ...worst, because: found.map(({ because }) => because).join('; ') };
    });
  },
};

async function downstream(request: Request, signal: AbortSignal): Promise<Measurement> {
  const { sizeBytes, variationBytes, delayMs, gone } = request;
  const { pieces } = await flowDown(request.to, PIECES * sizeBytes, FLOW_MS, signal);
  const gaps = pieces.slice(1).map((piece, index) => piece.atMs - pieces[index]!.atMs);
  const [gapMs, bytes] = [median(gaps), median(pieces.map((piece) => piece.bytes))];
  const toleranceMs = Math.max(TOLERANCE_MIN_MS, TOLERANCE_RATIO * delayMs);
  const fits = Math.abs(gapMs - delayMs) <= toleranceMs && bytes <= sizeBytes + variationBytes;
  const because = `downstream ${pieces.length} pieces of ${bytes} bytes came ${round(gapMs)} ms apart, ${asked(request)}`;
  return { holds: gone ? gapMs < delayMs / 2 : fits && pieces.length > 2, value: round(gapMs), unit: 'ms', because };
}

async function upstream(request: Request, signal: AbortSignal): Promise<Measurement> {
  const { sizeBytes, variationBytes, delayMs, gone, to } = request;
  const { whole, bytes, ms } = await flowUp(to, PIECES * sizeBytes, FLOW_MS, signal);
  // At least as many pieces as of the largest size; Toxiproxy halves until a piece is small enough.
  const fewest = Math.ceil(bytes / (sizeBytes + variationBytes)) - 1;
  const most = (to.engine === 'toxiproxy' ? 2 : 1) * Math.ceil(bytes / Math.max(1, sizeBytes - variationBytes)) + 1;
  const [leastMs, mostMs] = [fewest * delayMs * (1 - TOLERANCE_RATIO), most * delayMs * (1 + TOLERANCE_RATIO)];
  const fits = whole && ms >= leastMs && ms <= mostMs + TOLERANCE_MIN_MS;
  const expected = `${Math.round(leastMs)} to ${Math.round(mostMs)} ms expected`;
  const because = `upstream ${bytes} bytes took ${whole ? round(ms) : 'more than 4000'} ms, ${expected}, ${asked(request)}`;
  return { holds: gone ? whole && ms < leastMs / 2 : fits, value: round(ms), unit: 'ms', because };
}

function asked({ sizeBytes, variationBytes, delayMs }: Request): string {
  return `asked ${sizeBytes} ± ${variationBytes} bytes each ${delayMs} ms`;
}

const round = (ms: number): number => Math.round(ms * 10) / 10;
