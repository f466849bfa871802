import { setTimeout as sleep } from 'node:timers/promises';
import { findNodes, killAll } from '../core/local-process.ts';
import type { JsonObject } from '../spi/json.ts';
import type { Address, Environment, Link, Node, Resource } from '../spi/runtime.ts';
import type { NodeSpec, PortName } from '../spi/topology.ts';
import { directAddress, LOCAL_HOST } from './layout.ts';
import type { LocalChild } from './local-child.ts';
import { keptState } from './local-kept.ts';
import type { LocalSite } from './local-process-specs.ts';
import { removeRunFolder } from './local-reap.ts';
import type { PortPool } from './ports.ts';
import type { DatabaseAddress } from './postgres-client.ts';
import { storeOf } from './store-access.ts';
import { hostPort } from './wiring.ts';

const LOOK_MS = 1000;
const POLL_MS = 10;
/** How long services, then databases, may take to end by themselves. */
const SERVICES_GRACE_MS = 1500;
const STORES_GRACE_MS = 3000;
const KILL_MS = 10_000;

const RESTARTED_NICENESS = 15;

/** A stack of processes on this machine. */
export class LocalEnvironment implements Environment {
  readonly runtime = 'local';
  readonly owner: 'run' | 'foreign';
  readonly nodes: ReadonlyMap<string, Node>;
  readonly links: ReadonlyMap<string, Link>;
  readonly entryUrl: string;
  readonly #site: LocalSite;
  readonly #children: ReadonlyMap<string, LocalChild>;
  readonly #ports: PortPool;
  readonly #looking: NodeJS.Timeout;
  /** Its end removes nothing. */
  #kept: boolean;

  /** `foreign`: the stack was kept by another process, and stays. */
  constructor(
    site: LocalSite,
    children: ReadonlyMap<string, LocalChild>,
    ports: PortPool,
    owner: Environment['owner'] = 'run',
  ) {
    this.owner = owner;
    this.#kept = owner === 'foreign';
    this.#site = site;
    this.#children = children;
    this.#ports = ports;
    this.nodes = new Map(site.topology.nodes.map((spec) => [spec.id, nodeFor(site, spec, children.get(spec.id)!)]));
    this.links = linksOf(site);
    const entry = site.topology.nodes.find((node) => node.of === site.stack.entry)!;
    this.entryUrl = `http://${hostPort(directAddress(site.layout, entry.id, 'http'))}`;
    this.#looking = setInterval(() => {
      for (const child of children.values()) child.look();
    }, LOOK_MS).unref();
  }

  endpoint(node: string, port: PortName): Address {
    return directAddress(this.#site.layout, node, port);
  }

  onUnexpectedExit(listener: (node: string, why: string) => void): () => void {
    const unsubscribe = [...this.#children].map(([id, child]) => child.onUnexpectedEnd((why) => listener(id, why)));
    return () => {
      for (const undo of unsubscribe) undo();
    };
  }

  inventory(): Resource[] {
    const processes = [...this.#children].flatMap(([id, child]): Resource[] => {
      if (child.identity === undefined) return [];
      const { pid, started } = child.identity;
      return [{ kind: 'process', id, detail: { pid, started, role: child.role } }];
    });
    return [...processes, { kind: 'directory', id: this.#site.folder, detail: {} }];
  }

  async keep(): Promise<JsonObject> {
    this.#kept = true;
    await this[Symbol.asyncDispose]();
    return keptState(this.#site);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    clearInterval(this.#looking);
    if (this.#kept) return this.#ports[Symbol.asyncDispose]();
    await endByThemselves(this.#site, this.#children);
    await removeAll(this.#site.ctx.runId, this.#site.folder, this.#children, this.#ports);
  }
}

/** Asks services, then stores, to end; whoever does not is left to be killed. */
async function endByThemselves(site: LocalSite, children: ReadonlyMap<string, LocalChild>): Promise<void> {
  for (const child of children.values()) {
    child.look();
    child.expectEnd();
  }
  for (const [kind, graceMs] of [['service', SERVICES_GRACE_MS] as const, ['store', STORES_GRACE_MS] as const]) {
    const asked = site.topology.nodes.filter((node) => node.kind === kind).map((node) => children.get(node.id)!);
    for (const child of asked) child.terminate();
    const end = performance.now() + graceMs;
    while (asked.some((child) => child.identity !== undefined) && performance.now() < end) await sleep(POLL_MS);
  }
}

/** Kills what is left of the nodes and proxies and removes the run's folder and ports. Never fails for what is gone. */
export async function removeAll(
  runId: string,
  folder: string,
  children: ReadonlyMap<string, LocalChild>,
  ports: PortPool,
): Promise<void> {
  for (const child of children.values()) child.expectEnd();
  const ids = new Set(children.keys());
  await killAll(() => findNodes(runId, ids), AbortSignal.timeout(KILL_MS));
  await removeRunFolder(folder);
  await ports[Symbol.asyncDispose]();
}

function nodeFor(site: LocalSite, spec: NodeSpec, child: LocalChild): Node {
  const node: Node = {
    spec,
    // Started again in mid-run it takes its start-up time from no survivor: elsewhere that would be another machine's.
    restartSpec: () => ({ runtime: 'local', process: { ...child.spec, niceness: RESTARTED_NICENESS } }),
    life: {
      kill: (signal) => child.kill(signal),
      start: async (signal) => {
        signal.throwIfAborted();
        await child.start();
      },
      alive: async () => child.alive(),
    },
  };
  if (spec.kind === 'store') node.store = storeOf(databaseAddress(site, spec));
  return node;
}

/** How the harness reaches a store's node. */
export function databaseAddress(site: LocalSite, spec: NodeSpec): DatabaseAddress {
  const { database, user, password } = site.stack.stores[spec.of]!;
  return { ...directAddress(site.layout, spec.id, 'sql'), database, user, password };
}

function linksOf(site: LocalSite): Map<string, Link> {
  const idcs = new Map(site.topology.nodes.map((node) => [node.id, node.idc]));
  return new Map(
    site.topology.links.map(({ id, from, to }) => {
      const api = `http://${LOCAL_HOST}:${site.layout.proxies.get(idcs.get(from)!)}`;
      const listen = site.layout.links.get(id)!;
      return [id, { id, from, to, listen, proxy: { engine: site.ctx.proxy, api, name: id } }];
    }),
  );
}
