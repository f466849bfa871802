import { z } from 'zod';
import { sizeBytes, zodSchema } from '../../harness/core/zod-schema.ts';
import type { Fault } from '../../harness/spi/fault.ts';
import { nodesOf, notTaken } from '../targets.ts';

/** Below, it could not be told from what the helper itself needs. */
const SIZE_MIN = 32_000_000;
const SIZE_MAX = 64_000_000_000;

const params = z.strictObject({
  size: sizeBytes().refine((bytes) => bytes >= SIZE_MIN && bytes <= SIZE_MAX, 'expected 32MB to 64GB'),
});

type MemoryParams = z.output<typeof params>;

/** So much memory is taken and touched beside each node; what is over its limit, or the machine's, the system decides. */
export const hostMemory: Fault<MemoryParams> = {
  kind: 'host.memory',
  summary: 'Takes memory beside a node: from its control group in containers, from the machine else.',
  params: zodSchema<MemoryParams>(params),
  targets: ['node', 'service', 'idc'],
  effects: ({ size }, target, topology) => {
    if ('link' in target || 'store' in target) throw notTaken('host.memory', target);
    return nodesOf(target, topology).map((node) => {
      const on = { node: node.id };
      return {
        kind: 'node.memory-taken',
        on,
        args: { bytes: size },
        mode: 'acting',
        undo: 'revert',
        touches: { nodes: [node.id] },
        bite: { kind: 'node.memory-held', on, args: { bytes: size } },
        heal: { kind: 'node.helper-gone', on, args: {} },
      };
    });
  },
};
