import type { CallSpec, Stack, StoreSpec } from '../spi/stack.ts';
import type { LinkSpec, NodeSpec, PortName, Topology } from '../spi/topology.ts';

/**
 * A stack laid out as nodes and the directed links between them. Pure, and in an order that depends on the stack alone:
 * services as written, IDC by IDC, then stores, primary first.
 */
export function layOut(stack: Stack): Topology {
  const nodes = [...serviceNodes(stack), ...storeNodes(stack)];
  const links = new Map<string, LinkSpec>();
  const lay = (from: NodeSpec, to: NodeSpec, port: PortName, why: LinkSpec['why']): void => {
    const id = `${from.id}>${to.id}${port === 'http' ? '' : `:${port}`}`;
    if (!links.has(id)) links.set(id, { id, from: from.id, to: to.id, port, why });
  };
  for (const node of nodes) {
    for (const call of node.kind === 'service' ? (stack.services[node.of]?.calls ?? []) : []) {
      for (const peer of peersOf(call, node, nodes)) lay(node, peer, portOf(call), 'call');
    }
  }
  for (const name of Object.keys(stack.stores)) {
    const members = nodes.filter((node) => node.kind === 'store' && node.of === name);
    for (const from of members) {
      for (const to of members) if (from !== to) lay(from, to, 'sql', 'replication');
    }
  }
  return { idcs: [...stack.idcs], edge: [...stack.edge], nodes, links: [...links.values()] };
}

function serviceNodes(stack: Stack): NodeSpec[] {
  return Object.values(stack.services).flatMap((service) =>
    Object.entries(service.in).flatMap(([idc, count]) =>
      Array.from({ length: count }, (_, index): NodeSpec => {
        const id = `${service.name}-${idc}${index === 0 ? '' : `-${index + 1}`}`;
        return { id, kind: 'service', of: service.name, idc, ports: ['http'] };
      }),
    ),
  );
}

function storeNodes(stack: Stack): NodeSpec[] {
  return Object.values(stack.stores).flatMap((store) => {
    const primary = storeNode(store, store.primary, 'primary');
    return store.standby === undefined ? [primary] : [primary, storeNode(store, store.standby, 'standby')];
  });
}

function storeNode(store: StoreSpec, idc: string, firstRole: 'primary' | 'standby'): NodeSpec {
  const ports: PortName[] = store.supervisor === undefined ? ['sql'] : ['sql', 'control'];
  return { id: `${store.name}-${idc}`, kind: 'store', of: store.name, idc, ports, firstRole };
}

function peersOf(call: CallSpec, caller: NodeSpec, nodes: readonly NodeSpec[]): NodeSpec[] {
  const peers = nodes.filter((node) => node.of === call.peer);
  switch (call.pick) {
    case 'sameIdc':
      return peers.filter((peer) => peer.idc === caller.idc).slice(0, 1);
    case 'any':
      return peers.slice(0, 1);
    case 'eachIdc':
    case 'primary':
    case 'control':
      return peers;
  }
}

function portOf(call: CallSpec): PortName {
  if (call.pick === 'primary') return 'sql';
  return call.pick === 'control' ? 'control' : 'http';
}
