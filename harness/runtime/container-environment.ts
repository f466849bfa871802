import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import type { JsonObject } from '../spi/json.ts';
import type { Address, Environment, Link, Node, Resource } from '../spi/runtime.ts';
import type { NodeSpec, PortName } from '../spi/topology.ts';
import type { ContainerChild } from './container-child.ts';
import { type Engine, removeRun } from './container-engine.ts';
import { nftablesImage } from './container-images.ts';
import { keptState } from './container-kept.ts';
import { containerPort, fromHere, TOXIPROXY_API_PORT } from './container-layout.ts';
import type { ContainerSite } from './container-specs.ts';
import { nodeOf } from './layout.ts';
import type { PortPool } from './ports.ts';
import type { DatabaseAddress } from './postgres-client.ts';
import { storeOf } from './store-access.ts';
import { hostPort } from './wiring.ts';

const REMOVE_MS = 60_000;

/** What a run of containers holds while it stands. */
export interface ContainerHoldings {
  engine: Engine;
  children: Map<string, ContainerChild>;
  /** Only where ports are published on this machine. */
  ports: PortPool | undefined;
  stopWatching: () => void;
}

/** A stack of containers. */
export class ContainerEnvironment implements Environment {
  readonly runtime = 'containers';
  readonly owner: 'run' | 'foreign';
  readonly nodes: ReadonlyMap<string, Node>;
  readonly links: ReadonlyMap<string, Link>;
  readonly entryUrl: string;
  readonly #site: ContainerSite;
  readonly #holdings: ContainerHoldings;
  /** Its end removes nothing. */
  #kept: boolean;

  /** `foreign`: the stack was kept by another process, and stays. */
  constructor(site: ContainerSite, holdings: ContainerHoldings, owner: Environment['owner'] = 'run') {
    this.owner = owner;
    this.#kept = owner === 'foreign';
    this.#site = site;
    this.#holdings = holdings;
    const { children } = holdings;
    this.nodes = new Map(site.topology.nodes.map((spec) => [spec.id, nodeFor(site, spec, children.get(spec.id)!)]));
    this.links = linksOf(site, children);
    const entry = site.topology.nodes.find((node) => node.of === site.stack.entry)!;
    this.entryUrl = `http://${hostPort(directAddress(site, entry, 'http'))}`;
  }

  endpoint(node: string, port: PortName): Address {
    return directAddress(this.#site, nodeOf(this.#site.topology, node), port);
  }

  onUnexpectedExit(listener: (node: string, why: string) => void): () => void {
    const unsubscribe = [...this.#holdings.children].map(([id, child]) =>
      child.onUnexpectedEnd((why) => listener(id, why)),
    );
    return () => {
      for (const undo of unsubscribe) undo();
    };
  }

  inventory(): Resource[] {
    const containers = [...this.#holdings.children.values()].map(
      ({ id, spec }): Resource => ({ kind: 'container', id: spec.options.name, detail: { container: id } }),
    );
    return [...containers, { kind: 'network', id: this.#site.network, detail: {} }];
  }

  async keep(): Promise<JsonObject> {
    this.#kept = true;
    await this[Symbol.asyncDispose]();
    return keptState(this.#site, this.#holdings.children);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#kept) {
      this.#holdings.stopWatching();
      return this.#holdings.ports?.[Symbol.asyncDispose]();
    }
    await dismantle(this.#site.ctx.runId, this.#site.ctx.runDir, this.#holdings);
  }
}

/** Keeps what the containers said, then removes all of the run. Idempotent. */
export async function dismantle(runId: string, runDir: string, holdings: ContainerHoldings): Promise<void> {
  const signal = AbortSignal.timeout(REMOVE_MS);
  holdings.stopWatching();
  const nodes = [...holdings.children.values()].filter(({ id, spec }) => id !== '' && !spec.nodeId.endsWith('.net'));
  if (nodes.length > 0) mkdirSync(join(runDir, 'logs'), { recursive: true });
  await Promise.all(
    nodes.map(async (child) => {
      await child.kill(signal);
      await child.saveLog(join(runDir, 'logs', `${child.spec.nodeId}.log`));
    }),
  );
  holdings.children.clear();
  await removeRun(holdings.engine.docker, runId, signal);
  await holdings.ports?.[Symbol.asyncDispose]();
}

/** A node's own address, past every proxy, as reached from this machine. */
export function directAddress(site: ContainerSite, node: NodeSpec, port: PortName): Address {
  return fromHere(site.layout.nodes.get(node.id)!, containerPort(site.stack, node, port));
}

/** How the harness reaches a store's node. */
export function databaseAddress(site: ContainerSite, node: NodeSpec): DatabaseAddress {
  const { database, user, password } = site.stack.stores[node.of]!;
  return { ...directAddress(site, node, 'sql'), database, user, password };
}

function nodeFor(site: ContainerSite, spec: NodeSpec, child: ContainerChild): Node {
  const node: Node = {
    spec,
    restartSpec: () => ({ runtime: 'containers', container: child.id }),
    life: {
      kill: (signal) => child.kill(signal),
      start: (signal) => child.start(signal),
      alive: () => child.alive(),
    },
  };
  if (spec.kind === 'store') node.store = storeOf(databaseAddress(site, spec));
  return node;
}

function linksOf(site: ContainerSite, children: ReadonlyMap<string, ContainerChild>): Map<string, Link> {
  const image = nftablesImage();
  return new Map(
    site.topology.links.map(({ id, from, to }) => {
      const { idc } = nodeOf(site.topology, from);
      const place = site.layout.proxies.get(idc)!;
      const api = `http://${hostPort(fromHere(place, TOXIPROXY_API_PORT))}`;
      const port = site.layout.linkPorts.get(id)!;
      const proxy: Link['proxy'] = { engine: 'toxiproxy', api, name: id };
      const packets = { container: children.get(`proxy-${idc}`)!.id, port, image };
      return [id, { id, from, to, listen: fromHere(place, port), proxy, packets }];
    }),
  );
}
