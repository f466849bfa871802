import { z } from 'zod';
import { zodSchema } from '../../harness/core/zod-schema.ts';
import type { Fault } from '../../harness/spi/fault.ts';
import { nodeHeal } from '../effects.ts';
import { nodesOf, notTaken } from '../targets.ts';

const params = z.strictObject({});

/** The nodes die and are started again at once: what is measured is how long they and their callers need to be back. */
export const processRestart: Fault<z.output<typeof params>> = {
  kind: 'process.restart',
  summary: 'Kills a node, or every node of a service or an IDC, by SIGKILL and starts it again at once.',
  params: zodSchema<z.output<typeof params>>(params),
  targets: ['node', 'service', 'idc'],
  effects: (_params, target, topology) => {
    if ('link' in target || 'store' in target) throw notTaken('process.restart', target);
    return nodesOf(target, topology).map((node) => {
      const on = { node: node.id };
      return {
        kind: 'node.restarted',
        on,
        args: {},
        mode: 'once',
        undo: 'restart',
        touches: { nodes: [node.id] },
        bite: { kind: 'node.restarted', on, args: {} },
        heal: nodeHeal(node, topology),
      };
    });
  },
};
