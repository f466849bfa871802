import { formatCount } from '../../core/units.ts';
import type { Measurement, Probe } from '../../spi/fault.ts';
import type { Json } from '../../spi/json.ts';
import { pollUntil } from '../poll.ts';
import { flowDown, flowSteps, flowUp } from './link-flow.ts';
import { answersCounted, type LinkAddress, linkAddress, paddedRequest, type Stream, talk } from './link-talk.ts';

const FLOW_MS = 3000;
const WITHIN_MS = 2000;
/** Upstream only answers tell what came through: a limit is approached in so many requests. */
const STEPS = 10;
const TOLERANCE_RATIO = 0.2;
const BEYOND = 1.5;

interface Request {
  to: LinkAddress;
  stream: Stream;
  bytes: number;
  gone: boolean;
  withinMs: number;
}

/**
 * After how many bytes a new connection ends: to the byte downstream, to one request upstream. `args.bytes` of `stream`;
 * with `gone: true` half as many again pass without an end.
 */
export const linkLimited: Probe = {
  kind: 'link.limited',
  resolve: async (expectation, env) => {
    const { bytes, stream, gone = false, withinMs = WITHIN_MS } = expectation.args;
    const side = stream === 'upstream' ? 'upstream' : 'downstream';
    return { to: linkAddress(expectation, env), stream: side, bytes, gone, withinMs } as unknown as Json;
  },
  measure: (request, signal) => {
    const asked = request as unknown as Request;
    return pollUntil(asked.withinMs, signal, () => (asked.gone ? free(asked, signal) : limited(asked, signal)));
  },
};

async function free({ to, stream, bytes }: Request, signal: AbortSignal): Promise<Measurement> {
  const move = stream === 'upstream' ? flowUp : flowDown;
  const flow = await move(to, Math.ceil(bytes * BEYOND), FLOW_MS, signal);
  const what = flow.whole ? `carried ${formatCount(flow.bytes)} bytes` : 'ended early or was too slow';
  const because = `a new connection ${what} ${stream}, limited before to ${formatCount(bytes)}`;
  return { holds: flow.whole && flow.bytes >= bytes, value: flow.bytes, unit: 'B', because };
}

async function limited(request: Request, signal: AbortSignal): Promise<Measurement> {
  const { stream, bytes } = request;
  const { came, ended, grain } = await (stream === 'upstream' ? sendOn(request, signal) : readOn(request, signal));
  const off = Math.abs(came - bytes);
  const holds = ended && off <= Math.max(grain, TOLERANCE_RATIO * bytes * (stream === 'upstream' ? 1 : 0));
  const how = ended ? `ended after ${formatCount(came)} bytes` : `had not ended after ${formatCount(came)} bytes`;
  return { holds, value: came, unit: 'B', because: `a new connection ${how} ${stream}, asked ${formatCount(bytes)}` };
}

interface Passed {
  came: number;
  ended: boolean;
  /** What the measurement cannot tell apart. */
  grain: number;
}

async function readOn({ to, bytes }: Request, signal: AbortSignal): Promise<Passed> {
  if (to.port === 'sql') {
    const flow = await flowDown(to, Math.ceil(bytes * BEYOND), FLOW_MS, signal);
    return { came: flow.bytes, ended: !flow.whole, grain: 0 };
  }
  const times = Math.ceil((bytes * BEYOND) / 100);
  const request = paddedRequest(to.address, 0);
  const seen = await talk(to.address, {
    withinMs: FLOW_MS,
    signal,
    begin: (socket) => socket.write(Buffer.concat(Array.from({ length: times }, () => request))),
    hear: answersCounted(times),
  });
  return { came: seen.bytes, ended: seen.end === 'fin' || seen.end === 'reset', grain: 0 };
}

/** The last request met the limit somewhere in its middle. */
async function sendOn({ to, bytes }: Request, signal: AbortSignal): Promise<Passed> {
  const step = Math.ceil(bytes / STEPS);
  const { sent, stepBytes, ended } = await flowSteps(to, step, bytes * BEYOND, FLOW_MS, signal);
  const grain = Math.ceil(stepBytes / 2);
  return { came: Math.max(0, sent - grain), ended, grain };
}
