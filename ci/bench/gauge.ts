import { setTimeout as sleep } from 'node:timers/promises';
import { descendants } from '../../harness/core/process-identity.ts';
import { type Cores, type CoreTimes, coreShares, cpuSecondsOf, interruptsApart, readCore, rssOf } from './cores.ts';
import type { Target } from './target.ts';

const INTERRUPTS_APART = interruptsApart();

interface Reading {
  atMs: number;
  requests: number;
  open: number;
  cpu: Map<number, number>;
  targetCpu: number;
  toolCore: CoreTimes;
  serverCore: CoreTimes;
}

/** Between two points of a run, start-up and end outside: the same for every tool, as the server and the kernel count. */
export interface WindowFigures {
  seconds: number;
  requests: number;
  perSecond: number;
  /** Of the tool's whole process tree. */
  cpuSeconds: number;
  cpuUsPerRequest: number;
  /** The same by process. */
  cpuSecondsByPid: Record<number, number>;
  cpuShare: number;
  targetCpuShare: number;
  /** Everything that ran on the core, the kernel's own work for the network included. */
  coreBusy: { tool: number; server: number };
  steal: { tool: number; server: number };
  /** Share of the tool's core that went to neither the tool nor idleness: other programs, and steal. */
  disturbed: number;
  /** Open at the window's end. */
  connections: number;
  rssBytes: number;
}

/** Measures a window of a tool that runs already. `pid` is the root of its process tree. */
export async function measureWindow(
  pid: number,
  target: Target,
  cores: Cores,
  seconds: number,
): Promise<WindowFigures> {
  const before = read(pid, target, cores);
  await sleep(seconds * 1000);
  const after = read(pid, target, cores);
  return windowBetween(before, after, rssOfTree(after));
}

function read(pid: number, target: Target, cores: Cores): Reading {
  // Finding the processes takes some ms, so it comes before the moment that counts.
  const pids = [pid, ...descendants(pid).map((row) => row.pid)];
  const atMs = performance.now();
  const { requests, open } = target.counts();
  const cpu = new Map(pids.map((one) => [one, cpuSecondsOf(one) ?? 0]));
  const targetCpu = cpuSecondsOf(target.pid) ?? 0;
  return { atMs, requests, open, cpu, targetCpu, toolCore: readCore(cores.tool), serverCore: readCore(cores.server) };
}

function rssOfTree({ cpu }: Reading): number {
  return [...cpu.keys()].reduce((sum, pid) => sum + (rssOf(pid) ?? 0), 0);
}

function windowBetween(before: Reading, after: Reading, rssBytes: number): WindowFigures {
  const seconds = (after.atMs - before.atMs) / 1000;
  const requests = after.requests - before.requests;
  const byPid = [...after.cpu].map(([pid, cpu]) => [pid, cpu - (before.cpu.get(pid) ?? 0)] as const);
  const cpuSeconds = byPid.reduce((sum, [, cpu]) => sum + cpu, 0);
  const tool = coreShares(before.toolCore, after.toolCore);
  const server = coreShares(before.serverCore, after.serverCore);
  return {
    seconds,
    requests,
    perSecond: requests / seconds,
    cpuSeconds,
    cpuUsPerRequest: (cpuSeconds * 1e6) / requests,
    cpuSecondsByPid: Object.fromEntries(byPid),
    cpuShare: cpuSeconds / seconds,
    disturbed: Math.max(0, tool.busy - (INTERRUPTS_APART ? tool.interrupts : 0) + tool.steal - cpuSeconds / seconds),
    targetCpuShare: (after.targetCpu - before.targetCpu) / seconds,
    coreBusy: { tool: tool.busy, server: server.busy },
    steal: { tool: tool.steal, server: server.steal },
    connections: after.open,
    rssBytes,
  };
}
