import type { Effect, Expectation } from '../harness/spi/fault.ts';
import type { LinkSpec, NodeSpec, Topology } from '../harness/spi/topology.ts';

/** Within these a heal must be measured; a database that was killed is rebuilt as a standby by then. */
const LINK_HEAL_MS = 10_000;
const NODE_HEAL_MS = 40_000;

/** Nothing passes a link in the streams named, and nothing is refused. */
export function blackHole(
  link: LinkSpec,
  stream: 'both' | 'upstream' | 'downstream',
  touched: string[],
  healWithinMs = LINK_HEAL_MS,
): Effect {
  const on = { link: link.id };
  return {
    kind: 'link.black-hole',
    on,
    args: { stream },
    mode: 'held',
    undo: 'revert',
    touches: { nodes: touched },
    bite: { kind: 'link.silent', on, args: {} },
    heal: { kind: 'link.answers', on, args: { withinMs: healWithinMs } },
  };
}

/** The round trip over a link rises by the delay, shared by the streams named; connecting is not delayed. */
export function slowed(
  link: LinkSpec,
  { delayMs, jitterMs, stream }: { delayMs: number; jitterMs: number; stream: 'both' | 'upstream' | 'downstream' },
): Effect {
  const on = { link: link.id };
  return {
    kind: 'link.latency',
    on,
    args: { delayMs, jitterMs, stream },
    mode: 'held',
    undo: 'revert',
    touches: { nodes: [link.from, link.to] },
    bite: { kind: 'link.round-trip', on, args: { addedMs: delayMs, jitterMs } },
    heal: { kind: 'link.round-trip', on, args: { goneMs: delayMs, withinMs: LINK_HEAL_MS } },
  };
}

/** A node that died with its link black-holed answers on it only when it has come up again. */
export const COLD_LINK_HEAL_MS = NODE_HEAL_MS;

/** A node's processes end at once; reverting starts it again, cold. */
export function killed(node: NodeSpec, topology: Topology): Effect {
  const on = { node: node.id };
  return {
    kind: 'node.killed',
    on,
    args: {},
    mode: 'once',
    undo: 'restart',
    touches: { nodes: [node.id] },
    bite: { kind: 'node.down', on, args: {} },
    heal: nodeHeal(node, topology),
  };
}

/** A service's node answers again; a store of several members is whole only with its standby streaming. */
export function nodeHeal(node: NodeSpec, topology: Topology): Expectation {
  const members = topology.nodes.filter((other) => other.kind === 'store' && other.of === node.of);
  if (members.length > 1) return redundant(node.of);
  return { kind: 'node.up', on: { node: node.id }, args: { withinMs: NODE_HEAL_MS } };
}

export function redundant(store: string): Expectation {
  return { kind: 'store.redundant', on: { store, role: 'primary' }, args: { withinMs: NODE_HEAL_MS } };
}
