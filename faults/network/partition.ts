import { z } from 'zod';
import { HarnessError } from '../../harness/core/errors.ts';
import { zodSchema } from '../../harness/core/zod-schema.ts';
import type { Effect, Fault } from '../../harness/spi/fault.ts';
import type { LinkSpec, Topology } from '../../harness/spi/topology.ts';
import { blackHole } from '../effects.ts';
import { findLinks, linksBetween, nodesNamed, notTaken } from '../targets.ts';
import { majorityRing, RING_MIN } from './majority-ring.ts';
import { ANSWERS, heldOnLink } from './on-links.ts';

const params = z
  .strictObject({
    oneWay: z.boolean().prefault(false),
    shape: z.enum(['sides', 'majority-ring']).prefault('sides'),
    layer: z.enum(['bytes', 'packet']).prefault('bytes'),
  })
  .refine(({ oneWay, shape }) => !oneWay || shape === 'sides', {
    path: ['oneWay'],
    message: 'a ring says by itself who is heard by whom',
  });

type PartitionParams = z.output<typeof params>;

type Stream = 'both' | 'upstream' | 'downstream';

/**
 * Nothing passes between the two sides and nothing is refused. `oneWay`: over the links from → to requests arrive and
 * are executed, and their answers are lost; the links back are left alone. `shape: majority-ring`: every node of both
 * sides hears a majority of them, and no two the same. `layer: packet`: packets are dropped, so that not even a
 * handshake gets through and connections go on where they were when it is over; `bytes` loses what was on its way and
 * ends them.
 */
export const networkPartition: Fault<PartitionParams> = {
  kind: 'network.partition',
  summary:
    'Silence between two sides: nothing passes, nothing is refused; one way, only the answers are lost; as a ring, each node hears another majority.',
  params: zodSchema<PartitionParams>(params),
  targets: ['link'],
  effects: ({ oneWay, shape, layer }, target, topology) => {
    if (!('link' in target)) throw notTaken('network.partition', target);
    const { from, to } = target.link;
    const cut = layer === 'packet' ? dropped : (link: LinkSpec, lost: Stream) => blackHole(link, lost, ends(link));
    if (shape === 'majority-ring') return ring([...from, ...to], topology, cut);
    if (oneWay) return linksBetween(from, to, topology).map((link) => cut(link, 'downstream'));
    // Calls often go one way only: it is enough that links lead in one direction or the other.
    const back = findLinks(to, from, topology);
    const there = back.length > 0 ? findLinks(from, to, topology) : linksBetween(from, to, topology);
    return unique([...there, ...back]).map((link) => cut(link, 'both'));
  },
};

const ends = (link: LinkSpec): string[] => [link.from, link.to];

function dropped(link: LinkSpec, stream: Stream): Effect {
  return heldOnLink('link.packet-drop', { stream }, link, { kind: 'link.silent', args: {} }, ANSWERS);
}

/** A request is heard by the called, its answer by the caller: whoever does not hear the other loses that stream. */
function ring(names: string[], topology: Topology, cut: (link: LinkSpec, lost: Stream) => Effect): Effect[] {
  const nodes = [...new Set(names.flatMap((name) => nodesNamed(name, topology)).map(({ id }) => id))];
  if (nodes.length < RING_MIN) {
    const hint = `Name nodes, services, stores or IDCs that are ${RING_MIN} nodes or more together.`;
    throw new HarnessError('FAULT_TARGET_EMPTY', `a majority ring of ${nodes.join(', ')} is none`, hint);
  }
  const hears = majorityRing(nodes);
  const effects = linksBetween(nodes, nodes, topology).flatMap((link) => {
    const requests = hears.get(link.to)!.has(link.from);
    const answers = hears.get(link.from)!.has(link.to);
    if (requests && answers) return [];
    return [cut(link, requests ? 'downstream' : answers ? 'upstream' : 'both')];
  });
  if (effects.length > 0) return effects;
  const hint = 'Name other nodes, or in another order: neighbours hear each other.';
  throw new HarnessError('FAULT_TARGET_EMPTY', `the ring of ${nodes.join(', ')} cuts no link`, hint);
}

function unique(links: LinkSpec[]): LinkSpec[] {
  return [...new Map(links.map((link) => [link.id, link])).values()];
}
