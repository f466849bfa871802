import { HarnessError } from '../core/errors.ts';
import type { Address } from '../spi/runtime.ts';
import type { Stack } from '../spi/stack.ts';
import type { NodeSpec, PortName, Topology } from '../spi/topology.ts';
import { LOCAL_HOST, nodeOf } from './layout.ts';

/** One container's place: what listens in it, and how it is reached from within the network and from here. */
export interface Place {
  ip: string;
  /** Ports in the container → port published on this machine; empty where container addresses are reached directly. */
  published: Map<number, number>;
  /** Ports in the container that anybody needs. */
  ports: number[];
}

export interface ContainerLayout {
  nodes: Map<string, Place>;
  /** IDC → its Toxiproxy. */
  proxies: Map<string, Place>;
  /** Link id → port of its proxy in the container of its caller's IDC. */
  linkPorts: Map<string, number>;
}

export const TOXIPROXY_API_PORT = 8474;
const FIRST_LINK_PORT = 21_000;
const POSTGRES_PORT = 5432;

/** Gives every container its address and its ports. `publish` gives out ports of this machine, where those are needed. */
export async function layOutContainers(
  stack: Stack,
  topology: Topology,
  takeIp: () => string,
  publish: (() => Promise<number>) | undefined,
): Promise<ContainerLayout> {
  const layout: ContainerLayout = { nodes: new Map(), proxies: new Map(), linkPorts: new Map() };
  for (const node of topology.nodes) {
    const ports = node.ports.map((name) => containerPort(stack, node, name));
    layout.nodes.set(node.id, { ip: takeIp(), published: new Map(), ports });
  }
  for (const link of topology.links) {
    const idc = nodeOf(topology, link.from).idc;
    const proxy = layout.proxies.get(idc) ?? { ip: takeIp(), published: new Map(), ports: [TOXIPROXY_API_PORT] };
    layout.proxies.set(idc, proxy);
    const port = FIRST_LINK_PORT + proxy.ports.length - 1;
    proxy.ports.push(port);
    layout.linkPorts.set(link.id, port);
  }
  if (publish !== undefined) {
    for (const place of [...layout.nodes.values(), ...layout.proxies.values()]) {
      for (const port of place.ports) place.published.set(port, await publish());
    }
  }
  return layout;
}

/** Where a node listens in its container. */
export function containerPort(stack: Stack, node: NodeSpec, name: PortName): number {
  if (name === 'sql') return POSTGRES_PORT;
  const port = name === 'http' ? stack.services[node.of]?.port : stack.stores[node.of]?.supervisor?.port;
  if (port !== undefined) return port;
  throw new HarnessError('INTERNAL', `${node.id} has no ${name} port`, 'Please report it.');
}

/** How a port of a container is reached from this machine. */
export function fromHere(place: Place, port: number): Address {
  const published = place.published.get(port);
  return published === undefined ? { host: place.ip, port } : { host: LOCAL_HOST, port: published };
}
