import type { ContainerCreateOptions } from 'dockerode';
import { HarnessError } from '../core/errors.ts';
import type { RuntimeContext } from '../spi/runtime.ts';
import type { RunSpec, Stack } from '../spi/stack.ts';
import type { NodeSpec, Topology } from '../spi/topology.ts';
import { NODE_LABEL, objectName, RUN_LABEL } from './container-engine.ts';
import { TOXIPROXY_IMAGE } from './container-images.ts';
import { type ContainerLayout, containerPort, type Place } from './container-layout.ts';
import { LOCAL_HOST, nodeOf } from './layout.ts';
import { type LinkAddress, serviceEnv, supervisorEnv } from './wiring.ts';

/** What the containers of one run have in common. */
export interface ContainerSite {
  stack: Stack;
  topology: Topology;
  layout: ContainerLayout;
  ctx: RuntimeContext;
  network: string;
}

/** A container to be made: its image as the stack names it, and files that it gets before it starts. */
export interface ContainerSpec {
  nodeId: string;
  image: string;
  options: ContainerCreateOptions & { name: string };
  files: { path: string; source: string }[];
}

/** A node is two containers: one that only holds its network, and its own in there, which can die alone. */
export interface NodeContainers {
  holder: ContainerSpec;
  node: ContainerSpec;
}

const ALL_ADDRESSES = '0.0.0.0';
/** Where the official image looks for SQL to run once. */
const OFFICIAL_INIT = '/docker-entrypoint-initdb.d/seawall.sql';
const SUPERVISED_INIT = '/seawall/init.sql';

export function nodeContainers(site: ContainerSite, node: NodeSpec): NodeContainers {
  const { stack, topology, layout, ctx } = site;
  const dial: LinkAddress = (linkId) => dialled(site, linkId);
  const ports = Object.fromEntries(node.ports.map((name) => [name, containerPort(stack, node, name)]));
  const seat = { runId: ctx.runId, host: ALL_ADDRESSES, ports };
  const place = layout.nodes.get(node.id)!;
  if (node.kind === 'service') {
    const service = stack.services[node.of]!;
    const env = serviceEnv(node, service, stack, topology, seat, dial);
    return inHolder(site, node.id, place, imageOf(service.run, node), service.run.args, env, []);
  }
  const store = stack.stores[node.of]!;
  const init = (path: string): ContainerSpec['files'] =>
    store.init === undefined ? [] : [{ path, source: store.init }];
  if (store.supervisor === undefined) {
    const env = { POSTGRES_USER: store.user, POSTGRES_PASSWORD: store.password, POSTGRES_DB: store.database };
    return inHolder(site, node.id, place, store.image, [], env, init(OFFICIAL_INIT));
  }
  const initFile = store.init === undefined ? '' : SUPERVISED_INIT;
  const database = { binFolder: '', dataFolder: '', runAs: '', initFile };
  const env = supervisorEnv(node, store, topology, { ...seat, ...database }, dial);
  const { run } = store.supervisor;
  return inHolder(site, node.id, place, imageOf(run, node), run.args, env, init(SUPERVISED_INIT));
}

export function proxyContainer(site: ContainerSite, idc: string): ContainerSpec {
  const place = site.layout.proxies.get(idc)!;
  const nodeId = `proxy-${idc}`;
  const options = { ...named(site, nodeId), ...inNetwork(site, place, [nodeId]) };
  return { nodeId, image: TOXIPROXY_IMAGE, options, files: [] };
}

/** What a link's caller dials, from within the network. */
function dialled(site: ContainerSite, linkId: string): { host: string; port: number } {
  const link = site.topology.links.find(({ id }) => id === linkId)!;
  const proxy = site.layout.proxies.get(nodeOf(site.topology, link.from).idc)!;
  return { host: proxy.ip, port: site.layout.linkPorts.get(linkId)! };
}

/**
 * The address outlives the node: whoever dials a dead node is refused at once, as with processes. Without a holder the
 * address would be nobody's, and a proxy would ask the network for seconds, deaf to all else.
 */
function inHolder(
  site: ContainerSite,
  nodeId: string,
  place: Place,
  image: string,
  args: string[],
  env: Record<string, string>,
  files: ContainerSpec['files'],
): NodeContainers {
  const holderName = objectName(site.ctx.runId, `${nodeId}.net`);
  const holder: ContainerSpec = {
    nodeId: `${nodeId}.net`,
    // An idle Toxiproxy: the one image that every run has, and a program that never ends by itself.
    image: TOXIPROXY_IMAGE,
    options: {
      ...{ name: holderName, Labels: { [RUN_LABEL]: site.ctx.runId }, Cmd: ['-host=127.0.0.1', '-port=65535'] },
      ...inNetwork(site, place, [nodeId]),
    },
    files: [],
  };
  // What is empty here, the image's own contract says.
  const variables = Object.entries(env).filter(([, value]) => value !== '');
  const options = {
    ...named(site, nodeId),
    Env: variables.map(([name, value]) => `${name}=${value}`),
    ...(args.length > 0 ? { Cmd: args } : {}),
    HostConfig: { NetworkMode: `container:${holderName}` },
  };
  return { holder, node: { nodeId, image, options, files } };
}

function named(site: ContainerSite, nodeId: string): { name: string; Labels: Record<string, string> } {
  const { runId } = site.ctx;
  return { name: objectName(runId, nodeId), Labels: { [RUN_LABEL]: runId, [NODE_LABEL]: nodeId } };
}

function inNetwork(
  site: ContainerSite,
  place: Place,
  aliases: string[] = [],
): Pick<ContainerCreateOptions, 'ExposedPorts' | 'HostConfig' | 'NetworkingConfig'> {
  const published = [...place.published].map(([port, here]) => [
    `${port}/tcp`,
    [{ HostIp: LOCAL_HOST, HostPort: String(here) }],
  ]);
  return {
    ExposedPorts: Object.fromEntries(place.ports.map((port) => [`${port}/tcp`, {}])),
    HostConfig: { NetworkMode: site.network, PortBindings: Object.fromEntries(published) },
    NetworkingConfig: {
      EndpointsConfig: { [site.network]: { Aliases: aliases, IPAMConfig: { IPv4Address: place.ip } } },
    },
  };
}

function imageOf(run: RunSpec, node: NodeSpec): string {
  if (run.image !== undefined) return run.image;
  const hint = 'Give it a `run.image`, or use `--runtime local`.';
  throw new HarnessError('RUNTIME_UNSUPPORTED', `${node.of} has no image for the containers runtime`, hint);
}
