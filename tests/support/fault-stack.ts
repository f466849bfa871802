import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { findNode, killNode, type ProcessSpec, startProcess } from '../../harness/core/local-process.ts';
import type { Environment, Link, Node } from '../../harness/spi/runtime.ts';
import type { NodeSpec, Topology } from '../../harness/spi/topology.ts';
import { type Engine, freePort, listening } from './proxy-engine.ts';

const LINKS = ['front-a>back-b', 'back-b>front-a', 'front-a>back-a'];

export interface FaultStack extends AsyncDisposable {
  topology: Topology;
  env: Environment;
}

/** Three echo nodes in two IDCs, real processes, with their links through one fault proxy. */
export async function faultStack(engine: Engine, runId: string): Promise<FaultStack> {
  const folder = mkdtempSync(join(tmpdir(), 'seawall-faults-'));
  const specs: NodeSpec[] = ['front-a', 'back-a', 'back-b'].map((id) => {
    const [of, idc] = id.split('-') as [string, string];
    return { id, kind: 'service', of, idc, ports: ['http'] };
  });
  const ports = new Map(await Promise.all(specs.map(async ({ id }) => [id, await freePort()] as const)));
  const nodes = new Map(specs.map((spec) => [spec.id, nodeOf(spec, processSpec(spec, ports, folder, runId))]));
  for (const node of nodes.values()) await node.life!.start(AbortSignal.timeout(5000));
  for (const port of ports.values()) await listening(port);
  const links = new Map<string, Link>();
  for (const id of LINKS) links.set(id, await makeLink(engine, id, ports));
  const env: Environment = {
    runtime: 'local',
    owner: 'run',
    nodes,
    links,
    endpoint: (node) => ({ host: '127.0.0.1', port: ports.get(node)! }),
    entryUrl: `http://127.0.0.1:${ports.get('front-a')}`,
    onUnexpectedExit: () => () => undefined,
    inventory: () => [],
    [Symbol.asyncDispose]: async () => {
      for (const id of nodes.keys()) await killNode(runId, id, AbortSignal.timeout(5000));
      rmSync(folder, { recursive: true, force: true });
    },
  };
  const topology: Topology = {
    idcs: ['a', 'b'],
    edge: [],
    nodes: specs,
    links: LINKS.map((id) => {
      const [from, to] = id.split('>') as [string, string];
      return { id, from, to, port: 'http', why: 'call' };
    }),
  };
  return { topology, env, [Symbol.asyncDispose]: () => env[Symbol.asyncDispose]() };
}

function processSpec(spec: NodeSpec, ports: Map<string, number>, folder: string, runId: string): ProcessSpec {
  return {
    argv: [process.execPath, fileURLToPath(new URL('./echo-server.ts', import.meta.url))],
    cwd: folder,
    env: { ECHO_PORT: String(ports.get(spec.id)) },
    logFile: join(folder, `${spec.id}.log`),
    runId,
    nodeId: spec.id,
  };
}

function nodeOf(spec: NodeSpec, process: ProcessSpec): Node {
  return {
    spec,
    restartSpec: () => ({ runtime: 'local', process: { ...process } }),
    life: {
      kill: (signal) => killNode(process.runId, process.nodeId, signal),
      start: async () => void (await startProcess(process)),
      alive: async () => findNode(process.runId, process.nodeId).length > 0,
    },
  };
}

async function makeLink(engine: Engine, id: string, ports: Map<string, number>): Promise<Link> {
  const [from, to] = id.split('>') as [string, string];
  const port = await freePort();
  const answer = await fetch(`${engine.api}/proxies`, {
    method: 'POST',
    body: JSON.stringify({ name: id, listen: `127.0.0.1:${port}`, upstream: `127.0.0.1:${ports.get(to)}` }),
  });
  if (answer.status !== 201) throw new Error(`${id}: ${answer.status} ${await answer.text()}`);
  const listen = { host: '127.0.0.1', port };
  return { id, from, to, listen, proxy: { engine: engine.name, api: engine.api, name: id } };
}
