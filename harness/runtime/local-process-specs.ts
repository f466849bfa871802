import { dirname, join } from 'node:path';
import { compileCache, findBinary } from '../core/binaries.ts';
import { HarnessError } from '../core/errors.ts';
import type { ProcessSpec } from '../core/local-process.ts';
import { ownProgram } from '../core/own-program.ts';
import type { RuntimeContext } from '../spi/runtime.ts';
import type { RunSpec, Stack } from '../spi/stack.ts';
import type { NodeSpec, Topology } from '../spi/topology.ts';
import { commandLine } from './command-line.ts';
import { directAddress, type Layout, LOCAL_HOST } from './layout.ts';
import { type LinkAddress, serviceEnv, supervisorEnv } from './wiring.ts';

/** What the processes of one local run have in common. */
export interface LocalSite {
  stack: Stack;
  topology: Topology;
  layout: Layout;
  ctx: RuntimeContext;
  /** The run's folder under the system's temporary folder. */
  folder: string;
  /** Folder of the PostgreSQL programs; empty when the stack has no store. */
  postgres: string;
  databaseUser: { uid: number; gid: number } | undefined;
}

/** Of our own environment nodes get these and no more: a stack means the same on every machine, and leaks no secret. */
const PASSED_ON = ['PATH', 'HOME', 'USER', 'LANG', 'LC_ALL', 'TZ', 'TMPDIR', 'JAVA_HOME'];

/** The stack yields to the generator and the proxies beside it: one that is starved of processor time measures itself. */
const STACK_NICENESS = 5;

/** What passes through a proxy is garbage at once: a small nursery keeps it below 90 MB. */
const PROXY_FLAGS = ['--max-semi-space-size=1', '--expose-gc'];
/** What Node is told to run as a fault proxy. */
export const PROXY_PROGRAM: readonly string[] = [...PROXY_FLAGS, ownProgram('../proxy/main', import.meta.url)];

/** Where a node keeps its database. */
export const dataFolder = (site: LocalSite, node: NodeSpec): string => join(site.folder, node.id, 'data');

/** How a node's process is started, and started again. */
export function nodeProcess(site: LocalSite, node: NodeSpec): ProcessSpec {
  return { ...plainNodeProcess(site, node), niceness: STACK_NICENESS };
}

function plainNodeProcess(site: LocalSite, node: NodeSpec): ProcessSpec {
  const dial: LinkAddress = (linkId) => site.layout.links.get(linkId)!;
  const seat = { runId: site.ctx.runId, host: LOCAL_HOST, ports: site.layout.nodes.get(node.id)! };
  const folder = dirname(site.stack.file ?? '.');
  if (node.kind === 'service') {
    const service = site.stack.services[node.of]!;
    const env = serviceEnv(node, service, site.stack, site.topology, seat, dial);
    return processOf(site, node.id, localCommand(service.run, node, folder), folder, env);
  }
  const store = site.stack.stores[node.of]!;
  const user = site.databaseUser;
  const runAs = user === undefined ? '' : `${user.uid}:${user.gid}`;
  if (store.supervisor === undefined) {
    const { port } = directAddress(site.layout, node.id, 'sql');
    const argv = [process.execPath, ownProgram('./postgres-main', import.meta.url)];
    argv.push('--bin', site.postgres, '--data', dataFolder(site, node), '--host', LOCAL_HOST, '--port', String(port));
    argv.push('--user', store.user, `--run-as=${runAs}`);
    return processOf(site, node.id, argv, site.folder, { PG_PASSWORD: store.password });
  }
  const database = { binFolder: site.postgres, dataFolder: dataFolder(site, node), runAs, initFile: store.init ?? '' };
  const env = supervisorEnv(node, store, site.topology, { ...seat, ...database }, dial);
  return processOf(site, node.id, localCommand(store.supervisor.run, node, folder), folder, env);
}

/** The fault proxy of an IDC. */
export function proxyProcess(site: LocalSite, idc: string): ProcessSpec {
  const port = String(site.layout.proxies.get(idc));
  const argv =
    site.ctx.proxy === 'seawall'
      ? [process.execPath, ...PROXY_PROGRAM, '--host', LOCAL_HOST, '--port', port, '--seed', `${site.ctx.seed}`]
      : // What follows the two dashes is none of its options: the run's flag, which it would refuse.
        [toxiproxyProgram(), '-host', LOCAL_HOST, '-port', port, '--'];
  // One arena: glibc's default of eight a core holds what each of them once had.
  return processOf(site, `proxy-${idc}`, argv, site.folder, { MALLOC_ARENA_MAX: '1' });
}

function toxiproxyProgram(): string {
  const found = findBinary('toxiproxy');
  if (found !== undefined) return found.path;
  const hint = 'Let SEAWALL_TOXIPROXY or PATH name it, build it by `seawall doctor --fix`, or leave out `proxy:`.';
  throw new HarnessError('BINARY_MISSING', 'the plan asks for Toxiproxy, and there is no toxiproxy-server', hint);
}

function localCommand(run: RunSpec, node: NodeSpec, folder: string): string[] {
  if (run.local !== undefined) return commandLine(run.local, folder);
  const hint = 'Give it a `run.local`, or use `--runtime containers`.';
  throw new HarnessError('RUNTIME_UNSUPPORTED', `${node.of} has no command for the local runtime`, hint);
}

function processOf(
  site: LocalSite,
  nodeId: string,
  argv: string[],
  cwd: string,
  env: Record<string, string>,
): ProcessSpec {
  const passedOn = PASSED_ON.flatMap((name) => {
    const value = process.env[name];
    return value === undefined ? [] : [[name, value] as const];
  });
  return {
    argv,
    cwd,
    // From source, stripping types costs a Node 20 MB and half its start: the first one caches the result.
    env: { ...compileCache(), ...Object.fromEntries(passedOn), ...env },
    logFile: join(site.ctx.runDir, 'logs', `${nodeId}.log`),
    runId: site.ctx.runId,
    nodeId,
  };
}
