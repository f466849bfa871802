import { setTimeout as sleep } from 'node:timers/promises';
import type Docker from 'dockerode';
import { within } from '../core/deadline.ts';
import { HarnessError, messageOf } from '../core/errors.ts';

/** A container engine that answered. */
export interface Engine {
  docker: Docker;
  version: string;
  /** Whether container addresses can be reached from here: an engine on this Linux, not one in a virtual machine. */
  reachesContainers: boolean;
}

/** By these labels everything of a run is found from outside. */
export const RUN_LABEL = 'seawall.run';
export const NODE_LABEL = 'seawall.node';

export const objectName = (runId: string, what: string): string => `seawall-${runId}-${what}`;

const ANSWER_MS = 20_000;
const POLL_MS = 100;
/** The engine may still be making what a tool that died had asked for: a sweep counts when nothing shows up for so long. */
const QUIET_MS = 500;

/** Docker or Podman, wherever testcontainers finds it: DOCKER_HOST, the usual sockets, a desktop's own. */
export async function findEngine(): Promise<Engine> {
  const hint = 'Start Docker or Podman, or let DOCKER_HOST name one; `--runtime local` needs none.';
  const late = (): HarnessError => new HarnessError('ENGINE_MISSING', 'the container engine does not answer', hint);
  try {
    return await within(ANSWER_MS, connect(), late);
  } catch (thrown) {
    if (thrown instanceof HarnessError) throw thrown;
    throw new HarnessError('ENGINE_MISSING', `no container engine answers: ${messageOf(thrown)}`, hint, thrown);
  }
}

async function connect(): Promise<Engine> {
  // Loaded here only: it is large, and a run without containers does without.
  const { getContainerRuntimeClient } = await import('testcontainers');
  const client = await getContainerRuntimeClient();
  const docker = client.container.dockerode;
  const { ServerVersion, OperatingSystem, SecurityOptions } = (await docker.info()) as EngineInfo;
  const rootless = SecurityOptions?.some((option) => option.includes('rootless')) === true;
  const remote = /^(tcp|ssh|https?):/.test(process.env.DOCKER_HOST ?? '');
  const elsewhere = rootless || remote || /desktop/i.test(OperatingSystem);
  return { docker, version: ServerVersion, reachesContainers: process.platform === 'linux' && !elsewhere };
}

interface EngineInfo {
  ServerVersion: string;
  OperatingSystem: string;
  SecurityOptions?: string[];
}

/** What the engine answered to `work`, or undefined when it answered one of `statuses`. */
export async function unless<T>(statuses: number[], work: Promise<T>): Promise<T | undefined> {
  try {
    return await work;
  } catch (thrown) {
    const status = (thrown as { statusCode?: unknown }).statusCode;
    if (typeof status === 'number' && statuses.includes(status)) return undefined;
    throw thrown;
  }
}

/** Removes every container, with its volumes, and every network of a run, whatever its state. Returns their names. */
export async function removeRun(docker: Docker, runId: string, signal: AbortSignal): Promise<string[]> {
  const removed = new Set<string>();
  let quietSince = performance.now();
  while (performance.now() - quietSince < QUIET_MS) {
    signal.throwIfAborted();
    const found = await removeOnce(docker, runId);
    for (const name of found) removed.add(name);
    if (found.length > 0) quietSince = performance.now();
    await sleep(POLL_MS);
  }
  return [...removed];
}

async function removeOnce(docker: Docker, runId: string): Promise<string[]> {
  const filters = JSON.stringify({ label: [`${RUN_LABEL}=${runId}`] });
  const containers = await docker.listContainers({ all: true, filters });
  await Promise.all(
    // 404: somebody else was faster; 409: its removal is under way.
    containers.map(({ Id }) => unless([404, 409], docker.getContainer(Id).remove({ force: true, v: true }))),
  );
  const networks = await docker.listNetworks({ filters });
  // 403: a container is still in it; the next look finds it again.
  await Promise.all(networks.map(({ Id }) => unless([403, 404, 409], docker.getNetwork(Id).remove())));
  return [
    ...containers.map(({ Names, Id }) => `container ${Names[0]?.replace(/^\//, '') ?? Id}`),
    ...networks.map(({ Name }) => `network ${Name}`),
  ];
}
