import { setTimeout as sleep } from 'node:timers/promises';
import type { JsonObject } from '../../harness/spi/json.ts';
import { meansFor } from '../drivers/node-means.ts';
import { act } from './actor.ts';

/** One death with its start may take so long; a container engine is slow at times. */
const CYCLE_MS = 10_000;

/**
 * Kills a node every `everyMs`, the first time at once, and starts it again each time. The beat is kept from the first
 * death on: a slow start makes a life shorter, not the loop slower. The node runs when this ends.
 */
await act(async (args, signal) => {
  const node = args.node as JsonObject;
  const everyMs = Number(args.everyMs);
  const means = meansFor(node);
  const limited = () => ({ signal: AbortSignal.timeout(CYCLE_MS), record: async () => undefined });
  // It runs already: what the first call to a container engine costs is paid before the beat begins.
  await means.start(node, limited());
  for (let dueMs = performance.now(); !signal.aborted; dueMs = Math.max(dueMs + everyMs, performance.now())) {
    const waitMs = dueMs - performance.now();
    if (waitMs > 0) await sleep(waitMs, undefined, { signal });
    const cycle = limited();
    await means.kill(node, cycle.signal);
    await means.start(node, cycle);
  }
});
