import { HarnessError } from '../core/errors.ts';
import type { Address } from '../spi/runtime.ts';
import type { NodeSpec, PortName, Topology } from '../spi/topology.ts';

/** Where everything of a local run listens. */
export interface Layout {
  nodes: Map<string, Partial<Record<PortName, number>>>;
  /** Link id → the proxied address that its caller dials. */
  links: Map<string, Address>;
  /** IDC → port of its fault proxy's API; only IDCs from which something is called. */
  proxies: Map<string, number>;
}

export const LOCAL_HOST = '127.0.0.1';

/** Gives every node, link and proxy its port. */
export async function layOut(topology: Topology, take: () => Promise<number>): Promise<Layout> {
  const layout: Layout = { nodes: new Map(), links: new Map(), proxies: new Map() };
  for (const node of topology.nodes) {
    const ports: Partial<Record<PortName, number>> = {};
    for (const name of node.ports) ports[name] = await take();
    layout.nodes.set(node.id, ports);
  }
  for (const link of topology.links) {
    layout.links.set(link.id, { host: LOCAL_HOST, port: await take() });
    const idc = nodeOf(topology, link.from).idc;
    if (!layout.proxies.has(idc)) layout.proxies.set(idc, await take());
  }
  return layout;
}

/** A node's own address, past every proxy. */
export function directAddress(layout: Layout, nodeId: string, name: PortName): Address {
  const port = layout.nodes.get(nodeId)?.[name];
  if (port !== undefined) return { host: LOCAL_HOST, port };
  throw new HarnessError('INTERNAL', `${nodeId} has no ${name} port`, 'Please report it.');
}

export function nodeOf(topology: Topology, id: string): NodeSpec {
  const node = topology.nodes.find((candidate) => candidate.id === id);
  if (node !== undefined) return node;
  throw new HarnessError('INTERNAL', `the topology has no node ${id}`, 'Please report it.');
}
