import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { systemClock } from '../core/clock.ts';
import { deadline } from '../core/deadline.ts';
import { messageOf } from '../core/errors.ts';
import { formatDuration } from '../core/units.ts';
import { RUNTIMES } from '../registry.ts';
import { attachTo, readKept } from '../run/kept-stack.ts';
import { readLedger } from '../run/ledger.ts';
import type { IndexEntry } from '../run/run-index.ts';
import { EXIT } from './exit.ts';
import { byName, healDeps } from './wiring.ts';

const LOOK_MS = 10_000;

/** What `seawall status --json` prints, one object for all. */
export interface Status {
  stacks: {
    id: string;
    runtime: string;
    folder: string;
    startedAt: string;
    /** Why nothing is known of its nodes, where that is so. */
    unknown?: string;
    nodes: { id: string; idc: string; alive: boolean; role?: string }[];
    /** The process that works with it now. */
    usedBy?: number;
  }[];
  runs: {
    id: string;
    folder: string;
    /** Of its owner; absent when that is dead and `heal` is due. */
    pid?: number;
    on?: string;
    /** What is not undone yet, and how long its lease goes on, in ms; negative: it is over. */
    held: { fault: string; on: string; leaseMs: number }[];
  }[];
}

/** `seawall status`: the stacks that are up, the runs that live or were killed, and the faults they hold. */
export async function statusCommand(options: { json?: boolean }): Promise<number> {
  const status = await look();
  process.stdout.write(options.json === true ? `${JSON.stringify(status, undefined, 2)}\n` : describe(status));
  return EXIT.pass;
}

async function look(): Promise<Status> {
  const { index } = healDeps();
  const entries = index.list().toSorted((a, b) => a.startedAt.localeCompare(b.startedAt));
  const kept = entries.filter((entry) => entry.kept === true);
  return {
    stacks: await Promise.all(
      kept.map(async (entry) => ({
        ...{ id: entry.runId, runtime: entry.runtime, folder: entry.runDir, startedAt: entry.startedAt },
        ...(await nodesOf(entry)),
        ...present('usedBy', index.holder(entry.runId)?.pid),
      })),
    ),
    runs: entries
      .filter((entry) => entry.kept !== true)
      .map((entry) => ({
        ...{ id: entry.runId, folder: entry.runDir, held: heldBy(entry) },
        ...present('pid', index.holder(entry.runId)?.pid),
        ...present('on', entry.on),
      })),
  };
}

async function nodesOf(entry: IndexEntry): Promise<Pick<Status['stacks'][number], 'nodes' | 'unknown'>> {
  const signal = deadline(LOOK_MS);
  try {
    const ctx = { signal, record: async () => undefined, progress: () => undefined };
    await using env = await attachTo(readKept(entry.runDir), byName(RUNTIMES, entry.runtime, 'runtime'), ctx);
    const nodes = [...env.nodes.values()].map(async ({ spec, life, store }) => {
      const alive = (await life?.alive()) ?? false;
      const role = alive ? await store?.role(signal) : undefined;
      return { id: spec.id, idc: spec.idc, alive, ...present('role', role) };
    });
    return { nodes: await Promise.all(nodes) };
  } catch (thrown) {
    return { nodes: [], unknown: messageOf(thrown) };
  }
}

function heldBy({ runDir }: IndexEntry): Status['runs'][number]['held'] {
  const ledger = join(runDir, 'ledger.ndjson');
  if (!existsSync(ledger)) return [];
  return readLedger(ledger).undos.map(({ fault, undo, expiresAtMs }) => ({
    fault,
    on: 'link' in undo.on ? undo.on.link : undo.on.node,
    leaseMs: Math.round(expiresAtMs - systemClock.now()),
  }));
}

function describe({ stacks, runs }: Status): string {
  const lines = [...stacks.flatMap(describeStack), ...runs.flatMap(describeRun)];
  if (lines.length === 0) return 'no stack is up, and no run is alive or waits to be healed\n';
  return `${lines.join('\n')}\n`;
}

function describeStack({ id, runtime, folder, startedAt, nodes, unknown, usedBy }: Status['stacks'][number]): string[] {
  const dead = nodes.filter(({ alive }) => !alive).length;
  const state = unknown ?? `${nodes.length - dead} of ${nodes.length} nodes alive`;
  const user = usedBy === undefined ? '' : `, in use by process ${usedBy}`;
  return [
    `stack ${id}: ${runtime}, up since ${startedAt}, ${state}${user}`,
    ...nodes.map(
      (node) =>
        `  ${node.alive ? '✓' : '✗'} ${node.id} in ${node.idc}${node.role === undefined ? '' : `, ${node.role}`}`,
    ),
    `  its folder: ${folder}`,
  ];
}

function describeRun({ id, folder, pid, on, held }: Status['runs'][number]): string[] {
  const where = on === undefined ? '' : ` on stack ${on}`;
  const state = pid === undefined ? 'dead; run: seawall heal' : `alive, process ${pid}`;
  return [
    `run ${id}${where}: ${state}`,
    ...held.map(({ fault, on: target, leaseMs }) => `  ⚡ ${fault} on ${target}, ${lease(leaseMs)}`),
    `  its folder: ${folder}`,
  ];
}

const lease = (ms: number): string =>
  ms > 0 ? `its lease ends in ${formatDuration(Math.ceil(ms / 1000) * 1000)}` : 'its lease is over';

/** A key only where there is a value. */
function present<K extends string, V>(key: K, value: V | undefined): { [name in K]?: V } {
  return (value === undefined ? {} : { [key]: value }) as { [name in K]?: V };
}
