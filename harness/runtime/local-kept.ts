import type { JsonObject } from '../spi/json.ts';
import type { Address, RuntimeContext } from '../spi/runtime.ts';
import type { Stack } from '../spi/stack.ts';
import type { PortName, Topology } from '../spi/topology.ts';
import type { LocalSite } from './local-process-specs.ts';

/** What another process needs to know of a local stack beyond its plan, as plain JSON. */
interface KeptState {
  nodes: [string, Partial<Record<PortName, number>>][];
  links: [string, Address][];
  proxies: [string, number][];
  folder: string;
  postgres: string;
  databaseUser: { uid: number; gid: number } | null;
}

export function keptState({ layout, folder, postgres, databaseUser }: LocalSite): JsonObject {
  const state: KeptState = {
    nodes: [...layout.nodes],
    links: [...layout.links],
    proxies: [...layout.proxies],
    folder,
    postgres,
    databaseUser: databaseUser ?? null,
  };
  return state as unknown as JsonObject;
}

export function siteFrom(state: JsonObject, stack: Stack, topology: Topology, ctx: RuntimeContext): LocalSite {
  const { nodes, links, proxies, folder, postgres, databaseUser } = state as unknown as KeptState;
  const layout = { nodes: new Map(nodes), links: new Map(links), proxies: new Map(proxies) };
  return { stack, topology, ctx, layout, folder, postgres, databaseUser: databaseUser ?? undefined };
}

/** Every port of the stack. */
export function portsOf({ layout }: LocalSite): number[] {
  const own = [...layout.nodes.values()].flatMap((ports) => Object.values(ports));
  return [...own, ...[...layout.links.values()].map(({ port }) => port), ...layout.proxies.values()];
}
