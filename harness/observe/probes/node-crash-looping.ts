import { setTimeout as sleep } from 'node:timers/promises';
import { HarnessError } from '../../core/errors.ts';
import type { Measurement, Probe } from '../../spi/fault.ts';
import type { Json, JsonObject } from '../../spi/json.ts';
import { birthOf } from '../birth.ts';
import { nodeOf } from '../targets.ts';

/** A bite has five seconds. */
const LOOK_MS = 4400;
/** Of slower loops one death is believed: the next would come too late. */
const TWO_DEATHS_MS = 2000;
const TOLERANCE_RATIO = 0.3;
/** A container engine takes so long at times, sooner or later. */
const TOLERANCE_MIN_MS = 250;
const AGAIN_MS = 20;

interface Request {
  restart: JsonObject;
  before: string;
  everyMs: number;
}

/**
 * The node lives another life, and `args.everyMs` later yet another, by the process table or the container engine: a
 * node that needs longer to be ready than it lives answers nobody in between. Of a loop slower than 2 s one is enough.
 */
export const nodeCrashLooping: Probe = {
  kind: 'node.crash-looping',
  resolve: async (expectation, env, undo) => {
    const node = nodeOf(expectation, env, undo);
    const restart = node.restartSpec();
    const before = await birthOf(restart);
    if (before !== undefined) return { restart, before, everyMs: expectation.args.everyMs! };
    const hint = 'Look whether it is up: what does not run cannot die.';
    throw new HarnessError('PROBE_FAILED', `before the fault ${node.spec.id} did not run`, hint);
  },
  measure: async (request: Json, signal) => {
    const { restart, before, everyMs } = request as unknown as Request;
    const endMs = performance.now() + LOOK_MS;
    const first = await nextLife(restart, before, endMs, signal);
    if (first === undefined) return none(`it was not started again within ${LOOK_MS} ms`);
    if (everyMs > TWO_DEATHS_MS) {
      const because = `it died and was started; the next death is due after ${everyMs} ms, later than this could wait`;
      return { holds: true, value: 1, unit: 'deaths', because };
    }
    const second = await nextLife(restart, first.birth, endMs, signal);
    if (second === undefined) return none(`it died once, and not again within ${LOOK_MS} ms, asked each ${everyMs} ms`);
    const value = Math.round(second.atMs - first.atMs);
    const tolerance = Math.round(Math.max(TOLERANCE_MIN_MS, TOLERANCE_RATIO * everyMs));
    const because = `it died twice, ${value} ms apart, asked ${everyMs} ± ${tolerance} ms`;
    return { holds: Math.abs(value - everyMs) <= tolerance, value, unit: 'ms', because };
  },
};

const none = (because: string): Measurement => ({ holds: false, value: 0, unit: 'deaths', because });

/** The first life after one, and when it was seen; undefined when there is none in time. */
async function nextLife(
  restart: JsonObject,
  after: string,
  endMs: number,
  signal: AbortSignal,
): Promise<{ birth: string; atMs: number } | undefined> {
  while (performance.now() < endMs) {
    const birth = await birthOf(restart);
    if (birth !== undefined && birth !== after) return { birth, atMs: performance.now() };
    await sleep(AGAIN_MS, undefined, { signal });
  }
  return undefined;
}
