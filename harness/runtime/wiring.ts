import { HarnessError } from '../core/errors.ts';
import type { Address } from '../spi/runtime.ts';
import type { CallSpec, ServiceSpec, Stack, StoreSpec } from '../spi/stack.ts';
import type { LinkSpec, NodeSpec, PortName, Topology } from '../spi/topology.ts';

/** Where a caller dials a link: its proxied address, never the peer's own. */
export type LinkAddress = (linkId: string) => Address;

/** What a node is told about itself. */
export interface Seat {
  runId: string;
  /** Address to listen on. */
  host: string;
  ports: Partial<Record<PortName, number>>;
}

/** Environment of a service's node: where it stands, what the stack says, and where its peers are reached. */
export function serviceEnv(
  node: NodeSpec,
  service: ServiceSpec,
  stack: Stack,
  topology: Topology,
  seat: Seat,
  dial: LinkAddress,
): Record<string, string> {
  const env = { ...service.env, ...standing(node, seat), PORT: String(seat.ports.http) };
  for (const call of service.calls) Object.assign(env, callEnv(node, call, stack, topology, dial));
  return env;
}

/** Where the database programs and its data lie, as the supervisor sees them. */
export interface DatabaseSeat extends Seat {
  binFolder: string;
  dataFolder: string;
  /** `uid:gid`, empty when the supervisor's own user will do. */
  runAs: string;
  initFile: string;
}

/** Environment of the supervisor of a store's node. */
export function supervisorEnv(
  node: NodeSpec,
  store: StoreSpec,
  topology: Topology,
  seat: DatabaseSeat,
  dial: LinkAddress,
): Record<string, string> {
  const peers = linksFrom(topology, node.id, 'sql').filter((link) => link.why === 'replication');
  return {
    ...store.supervisor?.env,
    ...standing(node, seat),
    PORT: String(seat.ports.control),
    PG_PORT: String(seat.ports.sql),
    PGDATA: seat.dataFolder,
    PG_BIN: seat.binFolder,
    PG_RUN_AS: seat.runAs,
    PG_DATABASE: store.database,
    PG_USER: store.user,
    PG_PASSWORD: store.password,
    PG_INIT_SQL: seat.initFile,
    FIRST_ROLE: node.firstRole ?? 'primary',
    PEERS: peers.map((link) => `${link.to}=${hostPort(dial(link.id))}`).join(','),
    STORE: store.name,
  };
}

function standing(node: NodeSpec, seat: Seat): Record<string, string> {
  return { NODE_ID: node.id, IDC: node.idc, HOST: seat.host, RUN_ID: seat.runId };
}

function callEnv(
  node: NodeSpec,
  call: CallSpec,
  stack: Stack,
  topology: Topology,
  dial: LinkAddress,
): Record<string, string> {
  const peers = topology.nodes.filter((peer) => peer.of === call.peer);
  const link = (peer: NodeSpec, port: PortName): Address => dial(linkTo(topology, node.id, peer.id, port).id);
  const url = (peer: NodeSpec): string => `http://${hostPort(link(peer, 'http'))}`;
  switch (call.pick) {
    case 'sameIdc':
      return { [call.env]: url(first(peers, node, call, (peer) => peer.idc === node.idc)) };
    case 'any':
      return { [call.env]: url(first(peers, node, call, () => true)) };
    case 'eachIdc':
      return { [call.env]: peers.map((peer) => `${peer.idc}=${url(peer)}`).join(',') };
    case 'control':
      return {
        [call.env]: peers.map((peer) => `${peer.id}=http://${hostPort(link(peer, 'control'))}`).join(','),
      };
    case 'primary': {
      const hosts = peers.map((peer) => hostPort(link(peer, 'sql')));
      const members = peers.length > 1 ? { [`${call.env}_MEMBERS`]: peers.map((peer) => peer.id).join(',') } : {};
      return { [call.env]: storeUrl(stack.stores[call.peer]!, hosts), ...members };
    }
  }
}

function storeUrl(store: StoreSpec, hosts: string[]): string {
  const user = `${encodeURIComponent(store.user)}:${encodeURIComponent(store.password)}`;
  return `postgres://${user}@${hosts.join(',')}/${encodeURIComponent(store.database)}`;
}

function first(peers: NodeSpec[], node: NodeSpec, call: CallSpec, fits: (peer: NodeSpec) => boolean): NodeSpec {
  const found = peers.find(fits);
  if (found !== undefined) return found;
  const message = `${node.id} calls ${call.peer}.${call.pick}, and no node of ${call.peer} fits`;
  throw new HarnessError('PLAN_INVALID', message, `Let ${call.peer} stand in ${node.idc} too, or pick another peer.`);
}

function linkTo(topology: Topology, from: string, to: string, port: PortName): LinkSpec {
  const found = linksFrom(topology, from, port).find((link) => link.to === to);
  if (found !== undefined) return found;
  throw new HarnessError('INTERNAL', `the topology has no link ${from}>${to} (${port})`, 'Please report it.');
}

function linksFrom(topology: Topology, from: string, port: PortName): LinkSpec[] {
  return topology.links.filter((link) => link.from === from && link.port === port);
}

export const hostPort = (address: Address): string => `${address.host}:${address.port}`;
