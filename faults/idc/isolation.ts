import { z } from 'zod';
import { HarnessError } from '../../harness/core/errors.ts';
import { zodSchema } from '../../harness/core/zod-schema.ts';
import type { Fault } from '../../harness/spi/fault.ts';
import type { LinkSpec, Topology } from '../../harness/spi/topology.ts';
import { blackHole } from '../effects.ts';
import { nodesOf, notTaken } from '../targets.ts';

const params = z.strictObject({
  /** What gets lost: what comes in, what goes out, or both. */
  lost: z.enum(['both', 'in', 'out']).prefault('both'),
  /** Whether users, routing and the witness still reach it, and it them. */
  edge: z.enum(['cut', 'kept']).prefault('cut'),
});

type IsolationParams = z.output<typeof params>;

/**
 * The IDC stays up and is cut off: nothing passes its border and nothing is refused. `lost: out` loses what it sends
 * (its answers and its requests) and lets in what is sent to it; `lost: in` the other way round. `edge: kept` cuts it
 * from its peers only.
 */
export const idcIsolation: Fault<IsolationParams> = {
  kind: 'idc.isolation',
  summary: 'Cuts a data centre that stays up from the others, and from the edge unless it is kept; nothing is refused.',
  params: zodSchema<IsolationParams>(params),
  targets: ['idc'],
  effects: ({ lost, edge }, target, topology) => {
    if (!('idc' in target) || 'service' in target) throw notTaken('idc.isolation', target);
    if (topology.edge.includes(target.idc)) throw edgeRefused(target.idc);
    const ids = nodesOf(target, topology).map((node) => node.id);
    const border = borderOf(ids, topology, edge === 'kept');
    if (border.length === 0) throw noBorder(target.idc, edge === 'kept');
    return border.map((link) => blackHole(link, streamLost(lost, ids.includes(link.to)), ids));
  },
};

/** Links between the nodes and all others, or all others but those of the edge. */
function borderOf(ids: readonly string[], topology: Topology, edgeKept: boolean): LinkSpec[] {
  const atEdge = new Set(topology.nodes.filter(({ idc }) => topology.edge.includes(idc)).map(({ id }) => id));
  return topology.links.filter(({ from, to }) => {
    if (ids.includes(from) === ids.includes(to)) return false;
    return !edgeKept || !(atEdge.has(from) || atEdge.has(to));
  });
}

/** Requests go upstream and answers downstream: over a link that leads in, what comes in is the requests. */
function streamLost(lost: IsolationParams['lost'], leadsIn: boolean): 'both' | 'upstream' | 'downstream' {
  if (lost === 'both') return 'both';
  return (lost === 'in') === leadsIn ? 'upstream' : 'downstream';
}

function edgeRefused(idc: string): HarnessError {
  return new HarnessError(
    'FAULT_TARGET_EMPTY',
    `${idc} is an edge: users, routing and the witness stand there, and to cut it off would only tell that`,
    'Isolate one of the other IDCs.',
  );
}

function noBorder(idc: string, edgeKept: boolean): HarnessError {
  const beside = edgeKept ? ', the edge’s apart' : '';
  const hint = edgeKept ? 'With `edge: cut` its links to the edge count too.' : '`seawall explain` lists the links.';
  return new HarnessError('FAULT_TARGET_EMPTY', `no link leads into or out of ${idc}${beside}`, hint);
}
