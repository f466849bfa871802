import type { JsonObject } from '../spi/json.ts';
import type { RuntimeContext } from '../spi/runtime.ts';
import type { Stack } from '../spi/stack.ts';
import type { Topology } from '../spi/topology.ts';
import type { ContainerChild } from './container-child.ts';
import type { Place } from './container-layout.ts';
import type { ContainerSite } from './container-specs.ts';

type KeptPlace = Omit<Place, 'published'> & { published: [number, number][] };

/** What another process needs to know of a stack of containers beyond its plan, as plain JSON. */
interface KeptState {
  network: string;
  nodes: [string, KeptPlace][];
  proxies: [string, KeptPlace][];
  linkPorts: [string, number][];
  /** Node or proxy → the engine's id of its container. */
  containers: [string, string][];
}

export function keptState(
  { network, layout }: ContainerSite,
  children: ReadonlyMap<string, ContainerChild>,
): JsonObject {
  const placed = (places: Map<string, Place>): [string, KeptPlace][] =>
    [...places].map(([name, place]) => [name, { ...place, published: [...place.published] }]);
  const state: KeptState = {
    network,
    nodes: placed(layout.nodes),
    proxies: placed(layout.proxies),
    linkPorts: [...layout.linkPorts],
    containers: [...children].map(([name, child]) => [name, child.id]),
  };
  return state as unknown as JsonObject;
}

export function siteFrom(
  state: JsonObject,
  stack: Stack,
  topology: Topology,
  ctx: RuntimeContext,
): { site: ContainerSite; containers: ReadonlyMap<string, string>; published: number[] } {
  const { network, nodes, proxies, linkPorts, containers } = state as unknown as KeptState;
  const placed = (places: [string, KeptPlace][]): Map<string, Place> =>
    new Map(places.map(([name, place]) => [name, { ...place, published: new Map(place.published) }]));
  const layout = { nodes: placed(nodes), proxies: placed(proxies), linkPorts: new Map(linkPorts) };
  const published = [...nodes, ...proxies].flatMap(([, place]) => place.published.map(([, here]) => here));
  return { site: { stack, topology, layout, ctx, network }, containers: new Map(containers), published };
}
