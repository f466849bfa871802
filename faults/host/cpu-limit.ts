import { z } from 'zod';
import { zodSchema } from '../../harness/core/zod-schema.ts';
import type { Fault } from '../../harness/spi/fault.ts';
import { nodesOf, notTaken } from '../targets.ts';

const CORES_MIN = 0.01;
const CORES_MAX = 64;

const params = z.strictObject({ cores: z.number().min(CORES_MIN).max(CORES_MAX) });

type CpuLimitParams = z.output<typeof params>;

/** Each node may have so much of the processor and no more: once it is used up, it stands still until the next period. */
export const hostCpuLimit: Fault<CpuLimitParams> = {
  kind: 'host.cpu-limit',
  summary: 'Limits what a node may have of the processor, in cores; what it had before is put back (containers only).',
  params: zodSchema<CpuLimitParams>(params),
  targets: ['node', 'service', 'idc'],
  effects: ({ cores }, target, topology) => {
    if ('link' in target || 'store' in target) throw notTaken('host.cpu-limit', target);
    return nodesOf(target, topology).map((node) => {
      const on = { node: node.id };
      return {
        kind: 'node.cpu-capped',
        on,
        args: { cores },
        mode: 'held',
        undo: 'revert',
        touches: { nodes: [node.id] },
        bite: { kind: 'node.cpu-capped', on, args: { cores } },
        heal: { kind: 'node.cpu-free', on, args: { cores } },
      };
    });
  },
};
