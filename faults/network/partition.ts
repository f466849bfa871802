import { z } from 'zod';
import { zodSchema } from '../../harness/core/zod-schema.ts';
import type { Fault } from '../../harness/spi/fault.ts';
import type { LinkSpec } from '../../harness/spi/topology.ts';
import { blackHole } from '../effects.ts';
import { findLinks, linksBetween, notTaken } from '../targets.ts';

const params = z.strictObject({ oneWay: z.boolean().prefault(false) });

type PartitionParams = z.output<typeof params>;

/**
 * Nothing passes between the two sides and nothing is refused. `oneWay`: over the links from → to requests arrive and
 * are executed, and their answers are lost; the links back are left alone.
 */
export const networkPartition: Fault<PartitionParams> = {
  kind: 'network.partition',
  summary: 'Silence between two sides: nothing passes, nothing is refused; one way, only the answers are lost.',
  params: zodSchema<PartitionParams>(params),
  targets: ['link'],
  effects: ({ oneWay }, target, topology) => {
    if (!('link' in target)) throw notTaken('network.partition', target);
    const { from, to } = target.link;
    if (oneWay) {
      return linksBetween(from, to, topology).map((link) => blackHole(link, 'downstream', [link.from, link.to]));
    }
    // Calls often go one way only: it is enough that links lead in one direction or the other.
    const back = findLinks(to, from, topology);
    const there = back.length > 0 ? findLinks(from, to, topology) : linksBetween(from, to, topology);
    return unique([...there, ...back]).map((link) => blackHole(link, 'both', [link.from, link.to]));
  },
};

function unique(links: LinkSpec[]): LinkSpec[] {
  return [...new Map(links.map((link) => [link.id, link])).values()];
}
