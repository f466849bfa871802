import { quantileOf } from './statistics.ts';

export interface StallPlan {
  /** After the first request. */
  atMs: number;
  forMs: number;
}

export interface TruthScript {
  perSecond: number;
  /** How long is sent; a run longer than a cycle goes through the same stalls again, so that only its samples are more. */
  seconds: number;
  cycleSeconds: number;
  serviceMinMs: number;
  serviceSpanMs: number;
  /** Of the first cycle. */
  stalls: StallPlan[];
}

/** The stalls of a whole run, cycle after cycle. */
export function stallsOf({ stalls, seconds, cycleSeconds }: TruthScript): StallPlan[] {
  const cycles = Math.max(1, Math.round(seconds / cycleSeconds));
  return Array.from({ length: cycles }, (_, cycle) =>
    stalls.map(({ atMs, forMs }) => ({ atMs: atMs + cycle * cycleSeconds * 1000, forMs })),
  ).flat();
}

/** Epoch ms, by the server's clock. */
export interface RealStall {
  plannedForMs: number;
  beganMs: number;
  endedMs: number;
}

/** Epoch ms, by the server's clock; `number` is -1 for a request without one. */
export interface ServedRequest {
  number: number;
  arrivedMs: number;
  answeredMs: number;
}

/** Reported percentile beside the true one. */
export interface Compared {
  percentile: number;
  trueMs: number;
  reportedMs: number | undefined;
  /** Samples beyond it, of the truth. */
  beyond: number;
  /** Within 2 % or 2 ms; undefined when it was not reported, or has too few samples beyond it to be judged. */
  holds: boolean | undefined;
}

export const PERCENTILES = [50, 75, 90, 95, 97.5, 99, 99.5, 99.9, 99.99];
const BEYOND_MIN = 100;
const TOLERANCE_MS = 2;
const TOLERANCE_RATIO = 0.02;
const GOLDEN = 0.6180339887498949;

/** How long the server works on the k-th request, as truth-server.c has it: known, spread, the same every time. */
export function serviceMs({ serviceMinMs, serviceSpanMs }: TruthScript, k: number): number {
  const share = (k * GOLDEN) % 1;
  return serviceMinMs + serviceSpanMs * share ** 3;
}

/**
 * What an open-model client would have seen of a server that stalled so, each latency from its intended start: whoever
 * is intended in a stall waits until its end and is served then; an answer that falls due in one comes at its end.
 * `originMs` is the first intended start. Sorted.
 */
export function modelledTruth(script: TruthScript, stalls: readonly RealStall[], originMs: number): Float64Array {
  const count = Math.round(script.perSecond * script.seconds);
  const latencies = new Float64Array(count);
  const released = (ms: number): number => stalls.find((s) => s.beganMs <= ms && ms < s.endedMs)?.endedMs ?? ms;
  for (let k = 0; k < count; k++) {
    const intendedMs = originMs + (k * 1000) / script.perSecond;
    latencies[k] = released(released(intendedMs) + serviceMs(script, k)) - intendedMs;
  }
  return latencies.sort();
}

/**
 * What the server really did to each numbered request: its answer's time minus its intended start, which follows from
 * its number, the rate and the load's origin. Sorted. Throws when a start is missing or came twice: then there is no truth.
 */
export function loggedTruth(
  served: readonly ServedRequest[],
  { perSecond, seconds }: Pick<TruthScript, 'perSecond' | 'seconds'>,
  originMs: number,
): Float64Array {
  const count = Math.round(perSecond * seconds);
  const latencies = new Float64Array(count).fill(Number.NaN);
  const first = firstNumber(served);
  for (const { number, answeredMs } of served) {
    const k = number - first;
    if (!(k >= 0 && k < count)) throw new Error(`the server answered start ${k}, and there are ${count}`);
    if (!Number.isNaN(latencies[k]!)) throw new Error(`the server answered start ${k} twice`);
    latencies[k] = answeredMs - (originMs + (k * 1000) / perSecond);
  }
  const missing = latencies.findIndex((latency) => Number.isNaN(latency));
  if (missing >= 0) throw new Error(`the server never answered start ${missing} of ${count}`);
  return latencies.sort();
}

/**
 * Ms between the intended start of each of the last `count` numbers and its arrival at the server, in the order of
 * arrival; whatever has a lower number was warm-up.
 */
export function arrivalLateness(
  served: readonly ServedRequest[],
  { perSecond, count }: { perSecond: number; count: number },
  originMs: number,
): Float64Array {
  const last = served.reduce((most, { number }) => Math.max(most, number), -1);
  const first = last - count + 1;
  const load = served.filter(({ number }) => number >= first);
  if (load.length !== count) throw new Error(`the server saw ${load.length} of ${count} numbered requests`);
  return Float64Array.from(
    load,
    ({ number, arrivedMs }) => arrivedMs - (originMs + ((number - first) * 1000) / perSecond),
  );
}

function firstNumber(served: readonly ServedRequest[]): number {
  const first = served.reduce((least, { number }) => Math.min(least, number), Number.POSITIVE_INFINITY);
  if (!(first >= 0)) throw new Error('the server saw requests without a number');
  return first;
}

/**
 * Each percentile that somebody could report, beside the truth. `unsureMs` is how much the truth itself may be off there:
 * nobody is blamed for that.
 */
export function comparePercentiles(
  sorted: Float64Array,
  reported: (percentile: number) => number | undefined,
  unsureMs: (percentile: number) => number = () => 0,
): Compared[] {
  return PERCENTILES.map((percentile) => {
    const trueMs = quantileOf(sorted, percentile / 100);
    const reportedMs = reported(percentile);
    const beyond = Math.round(sorted.length * (100 - percentile)) / 100;
    const near = Math.max(TOLERANCE_MS, TOLERANCE_RATIO * trueMs) + unsureMs(percentile);
    const judged = reportedMs !== undefined && beyond >= BEYOND_MIN;
    return {
      percentile,
      trueMs,
      reportedMs,
      beyond,
      holds: judged ? Math.abs(reportedMs - trueMs) <= near : undefined,
    };
  });
}
