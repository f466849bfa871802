import { accessSync, constants, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { listProcesses, type ProcessRow, RUN_FLAG } from './process-identity.ts';

/** Absolute folders in which this machine's kernel keeps a container's share of processor and memory. */
interface ControlGroups {
  cpu: string;
  memory: string;
}

export type Controller = keyof ControlGroups;

/** Whether containers of an engine on this machine can be looked into and joined: Linux, and groups we may write. */
export function controlGroupsWritable(): boolean {
  if (process.platform !== 'linux') return false;
  try {
    for (const controller of ['cpu', 'memory'] as const) accessSync(mountOf(controller).point, constants.W_OK);
    return true;
  } catch {
    // Not mounted, or somebody else's: there is nothing that we could join.
    return false;
  }
}

/** The groups of a container that runs here; undefined when none of its processes can be seen. */
export function controlGroupsOf(containerId: string): ControlGroups | undefined {
  const [cpu, memory] = [folderOf('cpu', containerId), folderOf('memory', containerId)];
  return cpu === undefined || memory === undefined ? undefined : { cpu, memory };
}

/** A container's own processes as this machine sees them; helpers of ours that joined its groups are left out. */
export function processesOfContainer(containerId: string): ProcessRow[] {
  return listProcesses().filter(
    ({ pid, command }) => !command.includes(RUN_FLAG) && membershipOf(pid).some((line) => line.includes(containerId)),
  );
}

/** Whether a process is in a container's group for memory, or processor time. */
export function isInGroup(pid: number, controller: Controller, containerId: string): boolean {
  const { line } = mountOf(controller);
  return membershipOf(pid).some((text) => line(text) && text.includes(containerId));
}

/** The group that a process is in now; undefined when it is gone. */
export function groupOf(pid: number, controller: Controller): string | undefined {
  const { point, line } = mountOf(controller);
  const found = membershipOf(pid).find(line);
  return found === undefined ? undefined : join(point, found.slice(found.indexOf(':', found.indexOf(':') + 1) + 1));
}

/** Moves a process into a group: from then on what it takes is taken from that. */
export function joinGroup(pid: number, folder: string): void {
  writeFileSync(join(folder, 'cgroup.procs'), String(pid));
}

/** How often the group was held back because it had used up its quota. */
export function timesThrottled(cpuFolder: string): number {
  const match = /^nr_throttled (\d+)$/m.exec(readFileSync(join(cpuFolder, 'cpu.stat'), 'utf8'));
  return Number(match?.[1] ?? 0);
}

/** Bytes that are charged to the group. */
export function memoryBytes(memoryFolder: string): number {
  const files = readdirSync(memoryFolder);
  const file = files.includes('memory.current') ? 'memory.current' : 'memory.usage_in_bytes';
  return Number(readFileSync(join(memoryFolder, file), 'utf8'));
}

interface Mount {
  point: string;
  /** Whether a line of `/proc/PID/cgroup` is about this hierarchy. */
  line: (text: string) => boolean;
}

/** Version 1 has a hierarchy for each controller, version 2 one for all. Throws where neither is mounted. */
function mountOf(controller: Controller): Mount {
  const mounts = readFileSync('/proc/mounts', 'utf8')
    .split('\n')
    .map((row) => row.split(' '));
  const own = mounts.find(([, , type, options]) => type === 'cgroup' && options!.split(',').includes(controller));
  if (own !== undefined) {
    return { point: own[1]!, line: (text) => text.split(':')[1]?.split(',').includes(controller) === true };
  }
  const unified = mounts.find(([, , type]) => type === 'cgroup2');
  if (unified === undefined) throw new Error(`no control groups for ${controller} are mounted`);
  return { point: unified[1]!, line: (text) => text.startsWith('0::') };
}

function folderOf(controller: Controller, containerId: string): string | undefined {
  for (const { pid } of listProcesses()) {
    if (isInGroup(pid, controller, containerId)) return groupOf(pid, controller);
  }
  return undefined;
}

function membershipOf(pid: number): string[] {
  try {
    return readFileSync(`/proc/${pid}/cgroup`, 'utf8').split('\n');
  } catch {
    // It ended meanwhile: a member of nothing.
    return [];
  }
}
