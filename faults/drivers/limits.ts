import { execFile } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';
import { promisify } from 'node:util';
import { processesOfContainer } from '../../harness/core/control-groups.ts';
import { HarnessError } from '../../harness/core/errors.ts';
import { findNode } from '../../harness/core/local-process.ts';
import { isAlive, type ProcessIdentity, type ProcessRow } from '../../harness/core/process-identity.ts';
import type { Effect, FaultDriver, Undo } from '../../harness/spi/fault.ts';
import type { JsonObject } from '../../harness/spi/json.ts';
import type { Capabilities, Support } from '../../harness/spi/runtime.ts';
import { containerOf, meansFor, processOf } from './node-means.ts';
import { nodeOf } from './node-of.ts';

/** A process and the limit on its file descriptors; `unlimited` is a word there. */
interface Limited extends ProcessIdentity {
  soft: string;
  hard: string;
  /** What is left to it. */
  to: number;
}

/** What `undo.state` holds. */
interface LimitState {
  /** The node's own `restartSpec()`. */
  node: JsonObject;
  processes: Limited[];
}

/**
 * Leaves a node's processes as many file descriptors as they have open, and a few. Only the soft limit is touched, and
 * put back as it was; children that inherited ours get that of their parents.
 */
export const limitsDriver: FaultDriver = {
  name: 'limits',
  accepts,
  prepare: async (effect, env, ctx) => {
    const target = await nodeOf(effect, env, ctx.signal);
    const node = target.restartSpec();
    meansFor(node);
    const leave = Number(effect.args.leave);
    const processes = rowsOf(node).flatMap((row): Limited[] => {
      const limit = limitOf(row.pid);
      const to = lowestLimit(openDescriptors(row.pid), leave);
      return limit === undefined ? [] : [{ pid: row.pid, started: row.started, ...limit, to }];
    });
    if (processes.length === 0) {
      const hint = 'It must run, and be ours to look into.';
      throw new HarnessError('FAULT_TARGET_EMPTY', `no process of ${target.spec.id} is to be seen`, hint);
    }
    const state: LimitState = { node, processes };
    const { owner } = env;
    return { driver: 'limits', owner, on: { node: target.spec.id }, state: state as unknown as JsonObject };
  },
  apply: async (undo) => {
    for (const one of stateOf(undo).processes) if (isAlive(one)) await setSoft(one.pid, String(one.to), one.hard);
  },
  revert: async (undo) => {
    const { node, processes } = stateOf(undo);
    for (const one of processes) if (isAlive(one)) await setSoft(one.pid, one.soft, one.hard);
    for (const { pid } of rowsOf(node)) {
      const now = limitOf(pid);
      const source = processes.find(({ to }) => now?.soft === String(to));
      if (source !== undefined) await setSoft(pid, source.soft, source.hard);
    }
  },
};

function accepts(effect: Effect, { powers }: Capabilities): Support | undefined {
  if (effect.kind !== 'node.descriptors-exhausted') {
    return undefined;
  }
  if (powers.includes('node.limits')) return { ok: true };
  const reason = 'the limits of the nodes’ processes are out of reach';
  return {
    ok: false,
    reason,
    hint: 'It needs Linux and prlimit (util-linux); in containers, root where the engine is.',
  };
}

/** The limit under which exactly `leave` more can be opened: the lowest free number is always taken first. */
export function lowestLimit(open: ReadonlySet<number>, leave: number): number {
  let limit = 0;
  for (let free = 0; ; limit++) {
    if (open.has(limit)) continue;
    if (free === leave) return limit;
    free += 1;
  }
}

const stateOf = (undo: Undo): LimitState => undo.state as unknown as LimitState;

function rowsOf(node: JsonObject): ProcessRow[] {
  if (node.runtime === 'containers') return processesOfContainer(containerOf(node));
  const { runId, nodeId } = processOf(node);
  return findNode(runId, nodeId);
}

function openDescriptors(pid: number): ReadonlySet<number> {
  try {
    return new Set(readdirSync(`/proc/${pid}/fd`).map(Number));
  } catch {
    // It ended meanwhile.
    return new Set();
  }
}

function limitOf(pid: number): { soft: string; hard: string } | undefined {
  try {
    const match = /^Max open files\s+(\S+)\s+(\S+)/m.exec(readFileSync(`/proc/${pid}/limits`, 'utf8'));
    return match === null ? undefined : { soft: match[1]!, hard: match[2]! };
  } catch {
    // It ended meanwhile.
    return undefined;
  }
}

async function setSoft(pid: number, soft: string, hard: string): Promise<void> {
  try {
    await promisify(execFile)('prlimit', ['--pid', String(pid), `--nofile=${soft}:${hard}`]);
  } catch (thrown) {
    // A process that ended between the look and this has no limit to set.
    if (limitOf(pid) !== undefined) throw thrown;
  }
}
