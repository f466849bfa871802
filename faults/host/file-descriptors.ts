import { z } from 'zod';
import { zodSchema } from '../../harness/core/zod-schema.ts';
import type { Fault } from '../../harness/spi/fault.ts';
import { nodeHeal } from '../effects.ts';
import { nodesOf, notTaken } from '../targets.ts';

/** The probe holds as many connections, and a few more, at once. */
const LEAVE_MAX = 200;

const params = z.strictObject({ leave: z.int().min(0).max(LEAVE_MAX).prefault(0) });

type DescriptorParams = z.output<typeof params>;

/** Each node can open `leave` files or connections more than it has open; whoever comes then is not answered. */
export const hostFileDescriptors: Fault<DescriptorParams> = {
  kind: 'host.file-descriptors',
  summary: 'Leaves a node no more file descriptors than it has open: new connections find nobody who can take them.',
  params: zodSchema<DescriptorParams>(params),
  targets: ['node', 'service', 'idc'],
  effects: ({ leave }, target, topology) => {
    if ('link' in target || 'store' in target) throw notTaken('host.file-descriptors', target);
    return nodesOf(target, topology).map((node) => {
      const on = { node: node.id };
      return {
        kind: 'node.descriptors-exhausted',
        on,
        args: { leave },
        mode: 'held',
        undo: 'revert',
        touches: { nodes: [node.id] },
        bite: { kind: 'node.takes-no-more', on, args: { leave } },
        heal: nodeHeal(node, topology),
      };
    });
  },
};
