import { z } from 'zod';
import { zodSchema } from '../../harness/core/zod-schema.ts';
import type { Fault } from '../../harness/spi/fault.ts';
import { nodeHeal } from '../effects.ts';
import { nodesOf, notTaken } from '../targets.ts';

const params = z.strictObject({});

/**
 * The nodes hang: their processes stand still, with all that they started. Connections stay open, new ones are made (the
 * system does that for them), and nobody answers. At the end they go on where they stood, in the belief that no time
 * has passed.
 */
export const processPause: Fault<z.output<typeof params>> = {
  kind: 'process.pause',
  summary: 'Freezes a node, or every node of a service or an IDC: connections are made and never answered.',
  params: zodSchema<z.output<typeof params>>(params),
  targets: ['node', 'service', 'idc'],
  effects: (_params, target, topology) => {
    if ('link' in target || 'store' in target) throw notTaken('process.pause', target);
    return nodesOf(target, topology).map((node) => {
      const on = { node: node.id };
      return {
        kind: 'node.paused',
        on,
        args: {},
        mode: 'held',
        undo: 'revert',
        touches: { nodes: [node.id] },
        bite: { kind: 'node.frozen', on, args: {} },
        heal: nodeHeal(node, topology),
      };
    });
  },
};
