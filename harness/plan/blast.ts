import type { Effect } from '../spi/fault.ts';
import type { NodeSpec, Topology } from '../spi/topology.ts';

/** How much a set of effects can touch at one moment. */
export interface Blast {
  idcs: number;
  nodes: number;
  services: number;
}

/**
 * The worst case of effects held together. An effect on a store's role hits one node, whichever it is then: it is
 * counted as the one that adds most. The edge is in no blast radius.
 */
export function worstCase(effects: readonly Effect[], topology: Topology): Blast {
  const concrete = new Map<string, NodeSpec>();
  const roles = new Map<string, NodeSpec[]>();
  for (const effect of effects) {
    const touched = touchedNodes(effect, topology);
    if ('store' in effect.on) roles.set(`${effect.on.store}/${effect.on.role}`, touched);
    else for (const node of touched) concrete.set(node.id, node);
  }
  const idcs = new Set([...concrete.values()].map(({ idc }) => idc));
  const services = new Set([...concrete.values()].map(({ of }) => of));
  const nodes = new Set(concrete.keys());
  for (const candidates of roles.values()) {
    const worst = candidates.toSorted((a, b) => gain(b, idcs, nodes) - gain(a, idcs, nodes))[0];
    if (worst === undefined) continue;
    idcs.add(worst.idc);
    services.add(worst.of);
    nodes.add(worst.id);
  }
  return { idcs: idcs.size, nodes: nodes.size, services: services.size };
}

/** Names of all that the effects may touch, whichever node has a role by then. */
export function allTouched(
  effects: readonly Effect[],
  topology: Topology,
): { idcs: string[]; nodes: string[]; services: string[] } {
  const ids = new Set(effects.flatMap((effect) => touchedNodes(effect, topology)).map(({ id }) => id));
  const nodes = topology.nodes.filter(({ id }) => ids.has(id));
  return {
    idcs: [...new Set(nodes.map(({ idc }) => idc))],
    nodes: nodes.map(({ id }) => id),
    services: [...new Set(nodes.map(({ of }) => of))],
  };
}

function touchedNodes(effect: Effect, topology: Topology): NodeSpec[] {
  return topology.nodes.filter(({ id, idc }) => effect.touches.nodes.includes(id) && !topology.edge.includes(idc));
}

function gain(node: NodeSpec, idcs: ReadonlySet<string>, nodes: ReadonlySet<string>): number {
  return (idcs.has(node.idc) ? 0 : 2) + (nodes.has(node.id) ? 0 : 1);
}
