import { HarnessError } from '../../core/errors.ts';
import type { Measurement, Probe } from '../../spi/fault.ts';
import type { Json } from '../../spi/json.ts';
import type { Address } from '../../spi/runtime.ts';
import type { PortName } from '../../spi/topology.ts';
import { type Exchange, exchange, portOfLink } from '../exchange.ts';
import { pollUntil } from '../poll.ts';
import { linkOf } from '../targets.ts';

const SAMPLES = 5;
/** A baseline is taken once and stands for the whole fault: it is looked at more closely. */
const BASELINE_ROUNDS = 4;
const ANSWER_MS = 1500;
const TOLERANCE_RATIO = 0.2;
const TOLERANCE_MIN_MS = 15;
const WITHIN_MS = 2000;

interface Request {
  link: Address;
  direct: Address;
  port: PortName;
  /** What the link cost over the direct way before anything was done. */
  offsetMs: number;
  addedMs: number;
  toleranceMs: number;
  withinMs: number;
}

/**
 * The quickest of a few round trips over a link, compared with the quickest past it at the same moment: what a busy
 * machine adds differs from one to the next, what a fault adds does not. `args.addedMs` ± `jitterMs`: it rose by that, compared with before; `args.goneMs`: it no longer
 * differs by as much as that.
 */
export const linkRoundTrip: Probe = {
  kind: 'link.round-trip',
  resolve: async (expectation, env) => {
    const link = linkOf(expectation, env);
    const port = portOfLink(link.id);
    const { addedMs = 0, jitterMs = 0, goneMs = 0, withinMs = WITHIN_MS } = expectation.args as Record<string, number>;
    const request: Request = {
      link: link.listen,
      direct: env.endpoint(link.to, port, 'tool'),
      port,
      offsetMs: 0,
      addedMs,
      toleranceMs: Math.max(TOLERANCE_MIN_MS, TOLERANCE_RATIO * Math.max(addedMs, goneMs)) + jitterMs,
      withinMs,
    };
    if (addedMs > 0) request.offsetMs = await baseline(link.id, request);
    return request as unknown as Json;
  },
  measure: (request, signal) => {
    const asked = request as unknown as Request;
    return pollUntil(asked.withinMs, signal, () => compare(asked, signal));
  },
};

/** Never below 0: a link is no shortcut, and a direct way that was slow for a moment must not count against it. */
async function baseline(id: string, request: Request): Promise<number> {
  const signal = AbortSignal.timeout(BASELINE_ROUNDS * ANSWER_MS);
  const rounds: number[] = [];
  while (rounds.length < BASELINE_ROUNDS) {
    const before = await difference(request, ANSWER_MS, signal);
    if (typeof before === 'number') rounds.push(before);
    else throw unfit(id, before);
  }
  return Math.max(0, Math.min(...rounds));
}

function unfit(id: string, found: string): HarnessError {
  const hint = 'Look whether its node is up: a fault on what does not answer proves nothing.';
  return new HarnessError('PROBE_FAILED', `before the fault ${id} did not answer: ${found}`, hint);
}

async function compare(request: Request, signal: AbortSignal): Promise<Measurement> {
  const { offsetMs, addedMs, toleranceMs } = request;
  const found = await difference(request, ANSWER_MS + addedMs + toleranceMs, signal);
  if (typeof found === 'string') return { holds: false, value: found, unit: '', because: `no round trip: ${found}` };
  const rose = found - offsetMs;
  const value = Math.round(rose * 10) / 10;
  const because = `the round trip is ${value} ms above the way past the link, asked ${addedMs} ± ${Math.round(toleranceMs)} ms`;
  return { holds: Math.abs(rose - addedMs) <= toleranceMs, value, unit: 'ms', because };
}

/** Quickest over the link minus quickest past it, in ms; or what came instead of an answer. */
async function difference(
  { link, direct, port }: Request,
  withinMs: number,
  signal: AbortSignal,
): Promise<number | string> {
  const asked = [link, direct].map((address) =>
    Promise.all(Array.from({ length: SAMPLES }, () => exchange(address, port, withinMs, signal))),
  );
  const [over, past] = await Promise.all(asked);
  for (const [samples, where] of [
    [over!, 'over the link'],
    [past!, 'past it'],
  ] as const) {
    const failed = samples.find(({ outcome }) => outcome !== 'byte');
    if (failed !== undefined) return `${failed.outcome} ${where}`;
  }
  const quickest = (samples: readonly Exchange[]): number => Math.min(...samples.map(({ ms }) => ms));
  return quickest(over!) - quickest(past!);
}
