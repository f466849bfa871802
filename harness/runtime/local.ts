import { chmodSync, chownSync, mkdirSync, readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { HarnessError, messageOf } from '../core/errors.ts';
import type { ProcessSpec } from '../core/local-process.ts';
import type { JsonObject } from '../spi/json.ts';
import type { Detected, Environment, RuntimeContext, RuntimeDriver } from '../spi/runtime.ts';
import type { Stack } from '../spi/stack.ts';
import type { NodeSpec, Topology } from '../spi/topology.ts';
import { HeadStart } from './head-start.ts';
import { httpReady } from './http-ready.ts';
import { directAddress, LOCAL_HOST, layOut, nodeOf } from './layout.ts';
import { LocalChild } from './local-child.ts';
import { databaseAddress, LocalEnvironment, removeAll } from './local-environment.ts';
import { portsOf, siteFrom } from './local-kept.ts';
import { dataFolder, type LocalSite, nodeProcess, proxyProcess } from './local-process-specs.ts';
import { reapLocal } from './local-reap.ts';
import { PortPool } from './ports.ts';
import { databaseUser, findPostgres, layPostgres, postgresVersion } from './postgres-programs.ts';
import { localPowers } from './powers.ts';
import { ProxyApi } from './proxies.ts';
import { readyWithin } from './ready-within.ts';
import { makeReadable, runFolder } from './run-folder.ts';
import { initialiseStore, storeReady } from './store-access.ts';
import { together } from './task-group.ts';
import { hostPort } from './wiring.ts';

const PROXY_READY_MS = 10_000;
/** A store without a supervisor: initdb and the first start. */
const STORE_READY_MS = 20_000;
/**
 * How long databases are alone with the processor: what they do first (a cluster, then its copy) takes longest and one
 * step waits for the other, while services start side by side and then wait for them anyway.
 */
const HEAD_START_MS = 5000;
/** No node has this name, since names do not start with a dot. */
const POSTGRES_FOLDER = '.postgres';

/** Real processes on this machine, no container engine. */
export const localRuntime: RuntimeDriver = {
  name: 'local',
  detect: async () => detect(),
  up,
  attach,
  reap: (runId, resources, signal) => reapLocal(runId, resources, signal),
};

function detect(): Detected {
  if (process.platform === 'win32') {
    const hint = 'Run Seawall in WSL2.';
    return { ok: false, reason: 'the local runtime needs Linux or macOS', hint };
  }
  return {
    ok: true,
    capabilities: {
      runtime: 'local',
      powers: localPowers(),
      proxy: { engine: 'seawall', version: process.version },
      versions: { node: process.version, postgres: packagedPostgresVersion() },
    },
  };
}

/** From the manifest: to run the program it would have to be copied first. */
function packagedPostgresVersion(): string {
  try {
    const programs = findPostgres();
    if (programs.kind === 'installed') return `from ${programs.bin}`;
    const manifest: unknown = createRequire(import.meta.url)(join(programs.root, '..', 'package.json'));
    return String((manifest as { version?: unknown }).version);
  } catch (thrown) {
    if (thrown instanceof HarnessError && thrown.code === 'POSTGRES_MISSING') return 'missing';
    throw thrown;
  }
}

async function up(stack: Stack, topology: Topology, ctx: RuntimeContext): Promise<Environment> {
  const children = new Map<string, LocalChild>();
  const ports = new PortPool(ctx.runId);
  const folder = runFolder(ctx.runId);
  try {
    const layout = await layOut(topology, () => ports.take());
    const site = { stack, topology, layout, ctx, folder, postgres: '', databaseUser: await databaseUser() };
    await raise(site, children);
    return new LocalEnvironment(site, children, ports);
  } catch (thrown) {
    await removeAll(ctx.runId, folder, children, ports).catch((failed: unknown) => {
      const hint = `Run \`seawall heal ${ctx.runId}\`.`;
      throw new HarnessError('HEAL_INCOMPLETE', `${messageOf(thrown)}; then ${messageOf(failed)}`, hint, thrown);
    });
    throw thrown;
  }
}

async function attach(stack: Stack, topology: Topology, state: JsonObject, ctx: RuntimeContext): Promise<Environment> {
  const site = siteFrom(state, stack, topology, ctx);
  const children = new Map<string, LocalChild>();
  for (const idc of site.layout.proxies.keys()) adopt(proxyProcess(site, idc), 'proxy', children);
  for (const node of topology.nodes) adopt(nodeProcess(site, node), 'node', children);
  const ports = new PortPool(ctx.runId);
  await ports.guard(portsOf(site));
  return new LocalEnvironment(site, children, ports, 'foreign');
}

function adopt(spec: ProcessSpec, role: 'node' | 'proxy', children: Map<string, LocalChild>): void {
  const child = new LocalChild(spec, role);
  child.adopt();
  children.set(spec.nodeId, child);
}

async function raise(site: LocalSite, children: Map<string, LocalChild>): Promise<void> {
  const { ctx, topology } = site;
  await ctx.record({ kind: 'directory', id: site.folder, detail: {} });
  makeReadable(site.folder);
  await together(ctx.signal, [(signal) => raiseProxies(site, children, signal), () => preparePostgres(site)]);
  const supervised = (node: NodeSpec): boolean => site.stack.stores[node.of]?.supervisor !== undefined;
  const plain = topology.nodes.filter((node) => node.kind === 'store' && !supervised(node));
  await together(
    ctx.signal,
    plain.map((node) => (signal) => raisePlainStore(site, node, children, signal)),
  );
  const others = topology.nodes.filter((node) => !plain.includes(node));
  const databases = new HeadStart(others.filter(({ kind }) => kind === 'store').map(({ id }) => id));
  await together(
    ctx.signal,
    others.map((node) => async (signal) => {
      if (node.kind === 'service') await databases.over(HEAD_START_MS, signal);
      await raiseNode(site, node, children, signal);
      databases.done(node.id);
    }),
  );
}

async function preparePostgres(site: LocalSite): Promise<void> {
  const stores = site.topology.nodes.filter((node) => node.kind === 'store');
  if (stores.length === 0) return;
  for (const node of stores) {
    const data = dataFolder(site, node);
    makeReadable(join(site.folder, node.id));
    mkdirSync(data);
    chmodSync(data, 0o700);
    if (site.databaseUser === undefined) continue;
    for (const folder of [data, join(site.folder, node.id)]) {
      chownSync(folder, site.databaseUser.uid, site.databaseUser.gid);
    }
  }
  site.postgres = await layPostgres(findPostgres(), join(site.folder, POSTGRES_FOLDER));
  site.ctx.progress(`PostgreSQL ${await postgresVersion(site.postgres)} laid out`);
}

async function raiseProxies(site: LocalSite, children: Map<string, LocalChild>, signal: AbortSignal): Promise<void> {
  await together(
    signal,
    [...site.layout.proxies].map(([idc, port]) => async (inner) => {
      const child = await raiseChild(site, proxyProcess(site, idc), 'proxy', children);
      const api = new ProxyApi(`http://${LOCAL_HOST}:${port}`);
      await ready(child, PROXY_READY_MS, inner, (last, seen) => api.ready(last, seen));
      for (const link of site.topology.links.filter(({ from }) => nodeOf(site.topology, from).idc === idc)) {
        const upstream = hostPort(directAddress(site.layout, link.to, link.port));
        await api.create({ name: link.id, listen: hostPort(site.layout.links.get(link.id)!), upstream }, inner);
      }
    }),
  );
  site.ctx.progress(`${site.layout.proxies.size} fault proxies, ${site.layout.links.size} links`);
}

async function raisePlainStore(
  site: LocalSite,
  node: NodeSpec,
  children: Map<string, LocalChild>,
  signal: AbortSignal,
): Promise<void> {
  const store = site.stack.stores[node.of]!;
  const address = databaseAddress(site, node);
  const sql = store.init === undefined ? '' : readInit(store.init);
  const child = await raiseChild(site, nodeProcess(site, node), 'node', children);
  await ready(child, STORE_READY_MS, signal, (last, seen) =>
    storeReady({ ...address, database: 'postgres' }, 'primary', last, seen),
  );
  await initialiseStore(address, store, sql);
  site.ctx.progress(`${node.id} is ready`);
}

function readInit(file: string): string {
  try {
    return readFileSync(file, 'utf8');
  } catch (thrown) {
    throw new HarnessError('FILE_UNREADABLE', `the SQL file ${file} could not be read`, 'See `init`.', thrown);
  }
}

async function raiseNode(
  site: LocalSite,
  node: NodeSpec,
  children: Map<string, LocalChild>,
  signal: AbortSignal,
): Promise<void> {
  const child = await raiseChild(site, nodeProcess(site, node), 'node', children);
  if (node.kind === 'service') {
    const { http, withinMs } = site.stack.services[node.of]!.ready;
    const url = `http://${hostPort(directAddress(site.layout, node.id, 'http'))}${http}`;
    await ready(child, withinMs, signal, (last, seen) => httpReady(url, last, seen));
  } else {
    const { readyWithinMs } = site.stack.stores[node.of]!.supervisor!;
    const address = databaseAddress(site, node);
    await ready(child, readyWithinMs, signal, (last, seen) =>
      storeReady(address, node.firstRole ?? 'primary', last, seen),
    );
  }
  site.ctx.progress(`${node.id} is ready`);
}

async function raiseChild(
  site: LocalSite,
  spec: ProcessSpec,
  role: 'node' | 'proxy',
  children: Map<string, LocalChild>,
): Promise<LocalChild> {
  await site.ctx.record({ kind: 'process', id: spec.nodeId, detail: { runId: spec.runId } });
  const child = new LocalChild(spec, role);
  children.set(spec.nodeId, child);
  await child.start();
  const { pid, started } = child.identity ?? { pid: 0, started: '' };
  await site.ctx.record({ kind: 'process', id: spec.nodeId, detail: { runId: spec.runId, pid, started } });
  return child;
}

async function ready(
  child: LocalChild,
  ms: number,
  signal: AbortSignal,
  work: (signal: AbortSignal, lastSeen: (what: string) => void) => Promise<void>,
): Promise<void> {
  const { nodeId, logFile } = child.spec;
  const dead = (why: string): HarnessError =>
    new HarnessError(
      'NODE_DIED',
      `${nodeId} ended before it was ready (${why}); ${child.lastWords()}`,
      `See ${logFile}.`,
    );
  if (child.identity === undefined) throw dead('at once');
  await readyWithin(
    ms,
    signal,
    work,
    (died) => child.onUnexpectedEnd((why) => died(dead(why))),
    (lastSeen) =>
      new HarnessError(
        'NODE_NOT_READY',
        `${nodeId} was not ready within ${ms} ms: ${lastSeen}; ${child.lastWords()}`,
        `See ${logFile}; \`within\` gives it more time.`,
      ),
  );
}
