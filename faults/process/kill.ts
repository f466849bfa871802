import { z } from 'zod';
import { zodSchema } from '../../harness/core/zod-schema.ts';
import type { Fault } from '../../harness/spi/fault.ts';
import { killed } from '../effects.ts';
import { nodesOf, notTaken } from '../targets.ts';

const params = z.strictObject({});

/** The nodes' processes die at once: open connections end, new ones read EOF from the proxy. Started again at the end. */
export const processKill: Fault<z.output<typeof params>> = {
  kind: 'process.kill',
  summary: 'Kills a node, or every node of a service or an IDC, by SIGKILL; they start again at the end.',
  params: zodSchema<z.output<typeof params>>(params),
  targets: ['node', 'service', 'idc'],
  effects: (_params, target, topology) => {
    if ('link' in target || 'store' in target) throw notTaken('process.kill', target);
    return nodesOf(target, topology).map((node) => killed(node, topology));
  },
};
