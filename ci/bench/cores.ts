import { readFileSync } from 'node:fs';
import { availableParallelism, cpus, release, totalmem } from 'node:os';
import { gunzipSync } from 'node:zlib';
import { HarnessError } from '../../harness/core/errors.ts';
import { runCommand } from '../run-command.ts';
import { onPath } from './programs.ts';

/** The kernel's unit of CPU time in /proc: 100 a second on every Linux that Node runs on. */
const TICKS_PER_SECOND = 100;
const TASKSET_MS = 5_000;

/** Which core the tool under test has to itself, and which one the server and this program share. */
export interface Cores {
  tool: number;
  server: number;
}

/** Since boot, in seconds, of one core. `busy` is everything but idle, waiting for disks, and steal. */
export interface CoreTimes {
  busy: number;
  /** Part of `busy`. */
  interrupts: number;
  steal: number;
  total: number;
}

/** Throws BINARY_MISSING or USAGE, by name, when this machine cannot pin a tool and its target apart. */
export function chooseCores(): Cores {
  if (process.platform !== 'linux') {
    const hint = 'Run it on Linux: it reads /proc and pins with taskset.';
    throw new HarnessError('USAGE', `bench:load measures on Linux only, and this is ${process.platform}`, hint);
  }
  if (onPath('taskset') === undefined) {
    throw new HarnessError(
      'BINARY_MISSING',
      'taskset is not on PATH',
      'Install util-linux: apt-get install util-linux',
    );
  }
  const list = /^Cpus_allowed_list:\s*(\S+)/m.exec(readFileSync('/proc/self/status', 'utf8'))?.[1] ?? '';
  const allowed = parseCoreList(list);
  const [tool] = allowed;
  const server = allowed.at(-1);
  if (tool === undefined || server === undefined || tool === server) {
    const message = `this process may use core ${list || 'none'} only; the tool and its target need one each`;
    throw new HarnessError('USAGE', message, 'Run it where at least two cores are allowed.');
  }
  return { tool, server };
}

/** `0-2,5` → [0, 1, 2, 5]. */
export function parseCoreList(list: string): number[] {
  return list
    .split(',')
    .filter((part) => part !== '')
    .flatMap((part) => {
      const [from, to] = part.split('-').map(Number);
      return Array.from({ length: (to ?? from!) - from! + 1 }, (_, index) => from! + index);
    });
}

/** A command that runs on one core, with all that it starts. */
export const pinned = (core: number, command: readonly string[]): string[] => [
  'taskset',
  '-c',
  String(core),
  ...command,
];

/** Moves a running process, all its threads, to one core. */
export async function pin(pid: number, core: number): Promise<void> {
  const done = await runCommand('taskset', ['-a', '-c', '-p', String(core), String(pid)], { timeoutMs: TASKSET_MS });
  if (done.code !== 0) throw new Error(`taskset could not move ${pid} to core ${core}: ${done.stderr.trim()}`);
}

export function readCore(core: number): CoreTimes {
  return parseCore(readFileSync('/proc/stat', 'utf8'), core);
}

export function parseCore(stat: string, core: number): CoreTimes {
  const line = stat.split('\n').find((text) => text.startsWith(`cpu${core} `));
  if (line === undefined) throw new Error(`/proc/stat has no core ${core}`);
  const [user, nice, system, idle, wait, irq, softIrq, steal] = line.split(/\s+/).slice(1).map(Number);
  const busy = user! + nice! + system! + irq! + softIrq!;
  const total = busy + idle! + wait! + steal!;
  const inSeconds = (ticks: number): number => ticks / TICKS_PER_SECOND;
  return {
    busy: inSeconds(busy),
    interrupts: inSeconds(irq! + softIrq!),
    steal: inSeconds(steal!),
    total: inSeconds(total),
  };
}

export function coreShares(before: CoreTimes, after: CoreTimes): { busy: number; interrupts: number; steal: number } {
  const total = Math.max(after.total - before.total, 1 / TICKS_PER_SECOND);
  const share = (key: 'busy' | 'interrupts' | 'steal'): number => (after[key] - before[key]) / total;
  return { busy: share('busy'), interrupts: share('interrupts'), steal: share('steal') };
}

/**
 * Whether this kernel takes the time of interrupts, much of the network's work, out of the processes' accounts. What its
 * configuration says; where there is none to read, no.
 */
export function interruptsApart(): boolean {
  for (const read of [
    () => gunzipSync(readFileSync('/proc/config.gz')).toString('latin1'),
    () => readFileSync(`/boot/config-${release()}`, 'latin1'),
  ]) {
    try {
      return /^CONFIG_IRQ_TIME_ACCOUNTING=y$/m.test(read());
    } catch (thrown) {
      if (!['ENOENT', 'EACCES'].includes((thrown as NodeJS.ErrnoException).code ?? '')) throw thrown;
    }
  }
  return false;
}

/** User and system time of one process in seconds, its ended threads included; undefined when it is gone. */
export function cpuSecondsOf(pid: number): number | undefined {
  try {
    return parseCpuSeconds(readFileSync(`/proc/${pid}/stat`, 'utf8'));
  } catch {
    // It ended: its time is in nobody's window any more.
    return undefined;
  }
}

export function parseCpuSeconds(stat: string): number {
  // The command in parentheses may hold spaces: fields count from the last one.
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  return (Number(fields[11]) + Number(fields[12])) / TICKS_PER_SECOND;
}

/** Resident memory in bytes; undefined when the process is gone. */
export function rssOf(pid: number): number | undefined {
  try {
    const match = /^VmRSS:\s+(\d+) kB/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'));
    return match === null ? undefined : Number(match[1]) * 1024;
  } catch {
    return undefined;
  }
}

export interface Machine {
  cpu: string;
  cores: number;
  memoryBytes: number;
  kernel: string;
  /** Interrupts are in no process's CPU time: the tools' figures lack that part of the network's work, all alike. */
  interruptsApart: boolean;
  node: string;
  pinnedTo: Cores;
}

export function describeMachine(pinnedTo: Cores): Machine {
  return {
    cpu: cpus()[0]?.model.trim() ?? 'unknown',
    cores: availableParallelism(),
    memoryBytes: totalmem(),
    kernel: release(),
    interruptsApart: interruptsApart(),
    node: process.versions.node,
    pinnedTo,
  };
}
