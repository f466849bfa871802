import type { Effect, Expectation } from '../../harness/spi/fault.ts';
import type { JsonObject } from '../../harness/spi/json.ts';
import type { Target } from '../../harness/spi/plan.ts';
import type { LinkSpec, Topology } from '../../harness/spi/topology.ts';
import { linksBetween, notTaken } from '../targets.ts';

/** Within this a link's heal must be measured. */
export const LINK_HEAL_MS = 10_000;

/** The links from → to of a target; throws where it is no link, or none leads there. */
export function linksOf(kind: string, target: Target, topology: Topology): LinkSpec[] {
  if (!('link' in target)) throw notTaken(kind, target);
  return linksBetween(target.link.from, target.link.to, topology);
}

/** What must be measured, without where. */
type Measured = Pick<Expectation, 'kind' | 'args'>;

/** An effect that a link holds until it is taken back. */
export function heldOnLink(kind: string, args: JsonObject, link: LinkSpec, bite: Measured, heal: Measured): Effect {
  const on = { link: link.id };
  return {
    kind,
    on,
    args,
    mode: 'held',
    undo: 'revert',
    touches: { nodes: [link.from, link.to] },
    bite: { ...bite, on },
    heal: { ...heal, on },
  };
}

/** For effects that let nothing through: a byte comes back. */
export const ANSWERS: Measured = { kind: 'link.answers', args: { withinMs: LINK_HEAL_MS } };
