import { z } from 'zod';
import { percentage, zodSchema } from '../../harness/core/zod-schema.ts';
import type { Fault } from '../../harness/spi/fault.ts';
import { nodesOf, notTaken } from '../targets.ts';

const THREADS_MAX = 64;

const params = z.strictObject({
  threads: z.int().min(1).max(THREADS_MAX).prefault(1),
  share: percentage()
    .prefault('100%')
    .refine((share) => share >= 0.05, 'expected at least 5%'),
});

type CpuParams = z.output<typeof params>;

/** Busy threads beside each node, each wanting its share of a core; whether they get it is for the scheduler to say. */
export const hostCpu: Fault<CpuParams> = {
  kind: 'host.cpu',
  summary:
    'Busy threads beside a node want the processor too: in its control group in containers, on the machine else.',
  params: zodSchema<CpuParams>(params),
  targets: ['node', 'service', 'idc'],
  effects: ({ threads, share }, target, topology) => {
    if ('link' in target || 'store' in target) throw notTaken('host.cpu', target);
    return nodesOf(target, topology).map((node) => {
      const on = { node: node.id };
      return {
        kind: 'node.cpu-stressed',
        on,
        args: { threads, share },
        mode: 'acting',
        undo: 'revert',
        touches: { nodes: [node.id] },
        bite: { kind: 'node.cpu-wanted', on, args: { threads, share } },
        heal: { kind: 'node.helper-gone', on, args: {} },
      };
    });
  },
};
