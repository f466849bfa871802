import { z } from 'zod';
import { HarnessError } from '../../harness/core/errors.ts';
import { zodSchema } from '../../harness/core/zod-schema.ts';
import type { Fault } from '../../harness/spi/fault.ts';
import { blackHole, COLD_LINK_HEAL_MS, killed } from '../effects.ts';
import { nodesOf, notTaken } from '../targets.ts';

const params = z.strictObject({});

/**
 * Power and network gone at once, silently: every link into and out of the IDC is black-holed, then its nodes are
 * killed, so that nobody outside ever sees a refusal or a reset. At the end everything starts cold.
 */
export const idcBlackout: Fault<z.output<typeof params>> = {
  kind: 'idc.blackout',
  summary: 'A data centre goes dark: its links fall silent, then its nodes die; nothing is refused, nothing answers.',
  params: zodSchema<z.output<typeof params>>(params),
  targets: ['idc'],
  effects: (_params, target, topology) => {
    if (!('idc' in target) || 'service' in target) throw notTaken('idc.blackout', target);
    if (topology.edge.includes(target.idc)) throw edgeRefused(target.idc);
    const nodes = nodesOf(target, topology);
    const ids = nodes.map((node) => node.id);
    // Links within the IDC go with their nodes: nobody is left to watch them.
    const border = topology.links.filter((link) => ids.includes(link.from) !== ids.includes(link.to));
    return [
      ...border.map((link) => blackHole(link, 'both', ids, COLD_LINK_HEAL_MS)),
      ...nodes.map((node) => killed(node, topology)),
    ];
  },
};

function edgeRefused(idc: string): HarnessError {
  return new HarnessError(
    'FAULT_TARGET_EMPTY',
    `${idc} is an edge: users, routing and the witness stand there, and a blackout of it would only tell that`,
    'Black out one of the other IDCs.',
  );
}
