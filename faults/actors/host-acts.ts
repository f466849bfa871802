import type { JsonObject } from '../../harness/spi/json.ts';
import type { Node } from '../../harness/spi/runtime.ts';
import type { Act } from './acts.ts';

/** Kinds that only the drivers of these helpers know: no fault asks for them by these names. */
export const CRASH_LOOP = 'helper.crash-loop';
export const BURN_CPU = 'helper.burn-cpu';
export const HOLD_MEMORY = 'helper.hold-memory';

/** Helpers that work on a node from beside it. Whether a runtime lets them is for their drivers to say. */
export const HOST_ACTS: readonly Act[] = [
  {
    effect: CRASH_LOOP,
    powers: [],
    program: 'crash-loop',
    args: ({ args }, node) => ({ everyMs: args.everyMs!, node: node.restartSpec() }),
  },
  {
    effect: BURN_CPU,
    powers: [],
    program: 'burn-cpu',
    args: ({ args }, node) => ({ threads: args.threads!, share: args.share!, ...groupOf(node) }),
  },
  {
    effect: HOLD_MEMORY,
    powers: [],
    program: 'hold-memory',
    args: ({ args }, node) => ({ bytes: args.bytes!, ...groupOf(node) }),
  },
];

/** Whose control group a helper joins: a container's; a process on this machine has none of its own. */
function groupOf(node: Node): JsonObject {
  const { container } = node.restartSpec();
  return typeof container === 'string' ? { container } : {};
}
