import { HarnessError, messageOf } from '../core/errors.ts';
import type { JsonObject } from '../spi/json.ts';
import type { Detected, Environment, RuntimeContext, RuntimeDriver } from '../spi/runtime.ts';
import type { Stack } from '../spi/stack.ts';
import type { NodeSpec, Topology } from '../spi/topology.ts';
import { ContainerChild } from './container-child.ts';
import { findEngine, objectName, removeRun } from './container-engine.ts';
import {
  ContainerEnvironment,
  type ContainerHoldings,
  databaseAddress,
  directAddress,
  dismantle,
} from './container-environment.ts';
import { watchEnds } from './container-events.ts';
import { hasImage, imageMap, nftablesImage, provideImage, TOXIPROXY_IMAGE } from './container-images.ts';
import { siteFrom } from './container-kept.ts';
import { containerPort, fromHere, layOutContainers, TOXIPROXY_API_PORT } from './container-layout.ts';
import { RunNetwork } from './container-network.ts';
import { type ContainerSite, type ContainerSpec, nodeContainers, proxyContainer } from './container-specs.ts';
import { httpReady } from './http-ready.ts';
import { nodeOf } from './layout.ts';
import { PortPool } from './ports.ts';
import { containerPowers } from './powers.ts';
import { ProxyApi } from './proxies.ts';
import { readyWithin } from './ready-within.ts';
import { Slots } from './slots.ts';
import { storeReady } from './store-access.ts';
import { together } from './task-group.ts';
import { hostPort } from './wiring.ts';

const PROXY_READY_MS = 20_000;
const STORE_READY_MS = 40_000;
const ALL_ADDRESSES = '0.0.0.0';
/** More only makes the engine slower, and requests to it time out. */
const STARTS_AT_ONCE = 6;

/** The full stack in containers, by Docker or Podman, with the real Toxiproxy on every link. */
export const containersRuntime: RuntimeDriver = {
  name: 'containers',
  detect,
  up,
  attach,
  reap: async (runId, resources, signal) => {
    try {
      return await removeRun((await findEngine()).docker, runId, signal);
    } catch (thrown) {
      const none = !resources.some(({ kind }) => kind === 'container' || kind === 'network');
      if (none && thrown instanceof HarnessError && thrown.code === 'ENGINE_MISSING') return [];
      throw thrown;
    }
  },
};

async function detect(): Promise<Detected> {
  try {
    const { docker, version, reachesContainers } = await findEngine();
    const packets = await hasImage(docker, nftablesImage());
    return {
      ok: true,
      capabilities: {
        runtime: 'containers',
        powers: [...containerPowers(reachesContainers), ...(packets ? ['link.packets'] : [])],
        proxy: { engine: 'toxiproxy', version: TOXIPROXY_IMAGE.split(':').at(-1)! },
        versions: { node: process.version, engine: version },
      },
    };
  } catch (thrown) {
    if (thrown instanceof HarnessError) return { ok: false, reason: thrown.message, hint: thrown.hint };
    throw thrown;
  }
}

async function up(stack: Stack, topology: Topology, ctx: RuntimeContext): Promise<Environment> {
  const engine = await findEngine();
  const ports = engine.reachesContainers ? undefined : new PortPool(ctx.runId);
  const holdings: ContainerHoldings = { engine, children: new Map(), ports, stopWatching: () => undefined };
  try {
    await ctx.record({ kind: 'network', id: objectName(ctx.runId, 'net'), detail: {} });
    ctx.signal.throwIfAborted();
    const network = await RunNetwork.make(engine.docker, ctx.runId);
    const publish = ports === undefined ? undefined : () => ports.take();
    const layout = await layOutContainers(stack, topology, () => network.take(), publish);
    const site: ContainerSite = { stack, topology, layout, ctx, network: network.name };
    await raise(site, holdings);
    return new ContainerEnvironment(site, holdings);
  } catch (thrown) {
    await dismantle(ctx.runId, ctx.runDir, holdings).catch((failed: unknown) => {
      const hint = `Run \`seawall heal ${ctx.runId}\`.`;
      throw new HarnessError('HEAL_INCOMPLETE', `${messageOf(thrown)}; then ${messageOf(failed)}`, hint, thrown);
    });
    throw thrown;
  }
}

async function attach(stack: Stack, topology: Topology, state: JsonObject, ctx: RuntimeContext): Promise<Environment> {
  const engine = await findEngine();
  const { site, containers, published } = siteFrom(state, stack, topology, ctx);
  const children = new Map<string, ContainerChild>();
  for (const [nodeId, spec] of specsOf(site)) {
    const child = new ContainerChild(spec);
    child.adopt(engine.docker, containers.get(nodeId)!);
    children.set(nodeId, child);
  }
  const ports = engine.reachesContainers ? undefined : new PortPool(ctx.runId);
  await ports?.guard(published);
  const stopWatching = await watchEnds(engine.docker, ctx.runId, (nodeId, why) => children.get(nodeId)?.ended(why));
  return new ContainerEnvironment(site, { engine, children, ports, stopWatching }, 'foreign');
}

function specsOf(site: ContainerSite): Map<string, ContainerSpec> {
  const specs = new Map<string, ContainerSpec>();
  for (const idc of site.layout.proxies.keys()) specs.set(`proxy-${idc}`, proxyContainer(site, idc));
  for (const spec of site.topology.nodes) {
    const { node, holder } = nodeContainers(site, spec);
    specs.set(spec.id, node);
    specs.set(holder.nodeId, holder);
  }
  return specs;
}

async function raise(site: ContainerSite, holdings: ContainerHoldings): Promise<void> {
  const { ctx, topology } = site;
  const idcs = [...site.layout.proxies.keys()];
  const specs = specsOf(site);
  const images = await provideImages(site, holdings, [...specs.values()]);
  holdings.stopWatching = await watchEnds(holdings.engine.docker, ctx.runId, (nodeId, why) => {
    holdings.children.get(nodeId)?.ended(why);
  });
  const slots = new Slots(STARTS_AT_ONCE);
  const raiser: Raiser = (id, signal) => slots.run(() => raiseChild(site, holdings, specs.get(id)!, images, signal));
  await together(ctx.signal, [
    ...idcs.map((idc) => (signal: AbortSignal) => raiseProxy(site, idc, raiser, signal)),
    ...topology.nodes.map(({ id }) => async (signal: AbortSignal) => {
      await raiser(`${id}.net`, signal);
    }),
  ]);
  ctx.progress(`${idcs.length} fault proxies, ${topology.links.length} links`);
  const plain = topology.nodes.filter(
    ({ kind, of }) => kind === 'store' && site.stack.stores[of]!.supervisor === undefined,
  );
  const rest = topology.nodes.filter((node) => !plain.includes(node));
  // Databases take longest: they are made first.
  const others = [...rest.filter(({ kind }) => kind === 'store'), ...rest.filter(({ kind }) => kind === 'service')];
  for (const nodes of [plain, others]) {
    // All are made before any is waited for: what `within` allows a node is not spent on the engine's work for others.
    const made = new Map<string, ContainerChild>();
    await together(
      ctx.signal,
      nodes.map(({ id }) => async (signal) => {
        made.set(id, await raiser(id, signal));
      }),
    );
    await together(
      ctx.signal,
      nodes.map((node) => (signal) => nodeReady(site, node, made.get(node.id)!, signal)),
    );
  }
}

type Raiser = (id: string, signal: AbortSignal) => Promise<ContainerChild>;

async function provideImages(
  site: ContainerSite,
  holdings: ContainerHoldings,
  specs: readonly ContainerSpec[],
): Promise<ReadonlyMap<string, string>> {
  const map = imageMap();
  const images = new Map<string, string>();
  for (const name of new Set(specs.map(({ image }) => image))) {
    site.ctx.signal.throwIfAborted();
    images.set(name, await provideImage(holdings.engine.docker, map, name, (message) => site.ctx.progress(message)));
  }
  return images;
}

async function raiseChild(
  site: ContainerSite,
  holdings: ContainerHoldings,
  spec: ContainerSpec,
  images: ReadonlyMap<string, string>,
  signal: AbortSignal,
): Promise<ContainerChild> {
  const id = spec.options.name;
  signal.throwIfAborted();
  await site.ctx.record({ kind: 'container', id, detail: { runId: site.ctx.runId } });
  signal.throwIfAborted();
  const child = new ContainerChild(spec);
  holdings.children.set(spec.nodeId, child);
  await child.make(holdings.engine.docker, images.get(spec.image)!);
  return child;
}

async function raiseProxy(site: ContainerSite, idc: string, raiser: Raiser, signal: AbortSignal): Promise<void> {
  const child = await raiser(`proxy-${idc}`, signal);
  const place = site.layout.proxies.get(idc)!;
  const api = new ProxyApi(`http://${hostPort(fromHere(place, TOXIPROXY_API_PORT))}`);
  await ready(child, PROXY_READY_MS, signal, (last, seen) => api.ready(last, seen));
  for (const link of site.topology.links) {
    if (nodeOf(site.topology, link.from).idc !== idc) continue;
    const target = nodeOf(site.topology, link.to);
    const upstream = `${site.layout.nodes.get(link.to)!.ip}:${containerPort(site.stack, target, link.port)}`;
    const listen = `${ALL_ADDRESSES}:${site.layout.linkPorts.get(link.id)}`;
    await api.create({ name: link.id, listen, upstream }, signal);
  }
}

async function nodeReady(
  site: ContainerSite,
  node: NodeSpec,
  child: ContainerChild,
  signal: AbortSignal,
): Promise<void> {
  if (node.kind === 'service') {
    const { http, withinMs } = site.stack.services[node.of]!.ready;
    const url = `http://${hostPort(directAddress(site, node, 'http'))}${http}`;
    await ready(child, withinMs, signal, (last, seen) => httpReady(url, last, seen));
  } else {
    const withinMs = site.stack.stores[node.of]!.supervisor?.readyWithinMs ?? STORE_READY_MS;
    const address = databaseAddress(site, node);
    await ready(child, withinMs, signal, (last, seen) => storeReady(address, node.firstRole ?? 'primary', last, seen));
  }
  site.ctx.progress(`${node.id} is ready`);
}

async function ready(
  child: ContainerChild,
  ms: number,
  signal: AbortSignal,
  work: (signal: AbortSignal, lastSeen: (what: string) => void) => Promise<void>,
): Promise<void> {
  const { nodeId } = child.spec;
  const hint = `Its whole output is in logs/${nodeId}.log of the run’s folder.`;
  const dead = (why: string): HarnessError =>
    new HarnessError('NODE_DIED', `${nodeId} ended before it was ready (${why})`, hint);
  const late = (lastSeen: string): HarnessError =>
    new HarnessError('NODE_NOT_READY', `${nodeId} was not ready within ${ms} ms: ${lastSeen}`, hint);
  try {
    if (child.endedBy !== undefined) throw dead(child.endedBy);
    await readyWithin(ms, signal, work, (died) => child.onUnexpectedEnd((why) => died(dead(why))), late);
  } catch (thrown) {
    if (!(thrown instanceof HarnessError) || !thrown.message.startsWith(nodeId)) throw thrown;
    throw new HarnessError(thrown.code, `${thrown.message}; ${await child.lastWords()}`, thrown.hint, thrown);
  }
}
