import { HarnessError } from '../../core/errors.ts';
import type { Probe } from '../../spi/fault.ts';
import type { Json, JsonObject } from '../../spi/json.ts';
import { birthOf } from '../birth.ts';
import { pollUntil } from '../poll.ts';
import { nodeOf } from '../targets.ts';

const WITHIN_MS = 4000;

/** The node runs, and it is not the life that it was before: another process, or a container started anew. */
export const nodeRestarted: Probe = {
  kind: 'node.restarted',
  resolve: async (expectation, env, undo) => {
    const node = nodeOf(expectation, env, undo);
    const restart = node.restartSpec();
    const before = await birthOf(restart);
    if (before !== undefined) return { restart, before };
    const hint = 'Look whether it is up: what does not run cannot be restarted.';
    throw new HarnessError('PROBE_FAILED', `before the fault ${node.spec.id} did not run`, hint);
  },
  measure: (request: Json, signal) => {
    const { restart, before } = request as { restart: JsonObject; before: string };
    return pollUntil(WITHIN_MS, signal, async () => {
      const now = await birthOf(restart);
      const holds = now !== undefined && now !== before;
      return {
        holds,
        value: now ?? 'not running',
        unit: '',
        because: `it was ${before}, and is ${now ?? 'not running'}`,
      };
    });
  },
};
