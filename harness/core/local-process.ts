import { spawn } from 'node:child_process';
import { closeSync, mkdirSync, openSync } from 'node:fs';
import { dirname } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { HarnessError, messageOf } from './errors.ts';
import { setNiceness } from './niceness.ts';
import {
  descendants,
  identify,
  isAlive,
  listProcesses,
  type ProcessIdentity,
  type ProcessRow,
  runArgument,
  signalExactly,
} from './process-identity.ts';
import { removeSegmentsOf } from './shared-memory.ts';

/** Everything that is needed to start a node's process, from any process of ours. Plain JSON. */
export interface ProcessSpec {
  argv: string[];
  cwd: string;
  env: Record<string, string>;
  /** Absolute; both outputs are appended to it. */
  logFile: string;
  runId: string;
  nodeId: string;
  /** How much it yields to others on a busy machine, as in nice(1); 0 when absent. */
  niceness?: number;
}

/** The flag that tells which node of a run a process is. */
export const NODE_FLAG = '--seawall-node';

/** Name of a run's folder under the system's temporary folder: what a node keeps on disk lies in `<it>/<node id>/`. */
export const runFolderName = (runId: string): string => `seawall-${runId}`;

const POLL_MS = 5;

/**
 * Starts a process in a session of its own, with none of our handles, marked as belonging to the run and node. Resolves
 * when it runs. `onExit` is called with the reason when it ends while we live; it does not keep us alive.
 */
export function startProcess(spec: ProcessSpec, onExit?: (why: string) => void): Promise<ProcessIdentity> {
  const [program, ...args] = spec.argv;
  if (program === undefined) {
    throw new HarnessError('NODE_DIED', `${spec.nodeId} has no command`, 'Give it one in `run.local`.');
  }
  mkdirSync(dirname(spec.logFile), { recursive: true });
  const log = openSync(spec.logFile, 'a');
  return new Promise((resolve, reject) => {
    const child = spawn(program, [...args, runArgument(spec.runId), `${NODE_FLAG}=${spec.nodeId}`], {
      cwd: spec.cwd,
      env: spec.env,
      detached: true,
      stdio: ['ignore', log, log],
    });
    closeSync(log);
    child.unref();
    child.once('error', (thrown) => reject(notStarted(spec, thrown)));
    child.once('exit', (code, signal) => onExit?.(signal === null ? `exit code ${code}` : `signal ${signal}`));
    child.once('spawn', () => {
      const identity = identify(child.pid!);
      if (identity !== undefined && spec.niceness !== undefined) void setNiceness(child.pid!, spec.niceness);
      if (identity !== undefined) resolve(identity);
      else reject(new HarnessError('NODE_DIED', `${spec.nodeId} ended at once`, `Its output is in ${spec.logFile}.`));
    });
  });
}

function notStarted(spec: ProcessSpec, thrown: unknown): HarnessError {
  const message = `${spec.nodeId}: could not start ${spec.argv.join(' ')} in ${spec.cwd}: ${messageOf(thrown)}`;
  return new HarnessError('NODE_DIED', message, 'Check that the program and the folder exist.', thrown);
}

/**
 * The processes of a node with all their descendants: those marked with the run's and the node's flag, and those that
 * work in the node's folder (a database whose supervisor died has another parent by then).
 */
export function findNode(runId: string, nodeId: string): ProcessRow[] {
  return findNodes(runId, new Set([nodeId]));
}

/** The same for several nodes at once. */
export function findNodes(runId: string, nodeIds: ReadonlySet<string>): ProcessRow[] {
  const folder = `/${runFolderName(runId)}/`;
  return withDescendants((row) => {
    const words = row.command.split(' ');
    if (words.includes(runArgument(runId))) {
      const flag = words.find((word) => word.startsWith(`${NODE_FLAG}=`));
      return flag !== undefined && nodeIds.has(flag.slice(NODE_FLAG.length + 1));
    }
    return [...nodeIds].some((nodeId) => row.command.includes(`${folder}${nodeId}/`));
  });
}

/** Every process of a run with all descendants, nodes or not, apart from the caller. */
export function findRun(runId: string): ProcessRow[] {
  const folder = `/${runFolderName(runId)}/`;
  return withDescendants((row) => {
    const words = row.command.split(' ');
    // A program that lies in the run's folder, or a database that keeps its data there.
    const database = words.some((word, index) => words[index - 1] === '-D' && word.includes(folder));
    return words.includes(runArgument(runId)) || words[0]!.includes(folder) || database;
  });
}

function withDescendants(belongs: (row: ProcessRow) => boolean): ProcessRow[] {
  const rows = listProcesses();
  const found = new Map<number, ProcessRow>();
  for (const root of rows.filter((row) => row.pid !== process.pid && belongs(row))) {
    for (const row of [root, ...descendants(root.pid, rows)]) found.set(row.pid, row);
  }
  found.delete(process.pid);
  return [...found.values()];
}

/** Ends a node at once with all its descendants; resolves when all are gone. A node that is gone already is fine. */
export function killNode(runId: string, nodeId: string, signal: AbortSignal): Promise<void> {
  return killAll(() => findNode(runId, nodeId), signal);
}

/**
 * Ends whatever `find` returns until it returns nothing. Everything is stopped before anything is killed, so that no
 * parent can start a new child, or react to a dead one, between the two. Shared memory that the dead leave is removed.
 */
export async function killAll(find: () => ProcessRow[], signal: AbortSignal): Promise<void> {
  const killed = new Set<number>();
  for (;;) {
    const rows = stopAll(find);
    if (rows.length === 0) break;
    for (const row of rows) signalExactly(row, 'SIGKILL');
    while (rows.some(isAlive)) {
      signal.throwIfAborted();
      await sleep(POLL_MS);
    }
    for (const row of rows) killed.add(row.pid);
  }
  if (killed.size > 0) await removeSegmentsOf(killed);
}

/** Stops whatever `find` returns until it returns nothing new. Returns what it returned last. */
export function stopAll(find: () => ProcessRow[]): ProcessRow[] {
  const stopped = new Set<number>();
  for (;;) {
    const rows = find();
    const fresh = rows.filter((row) => !stopped.has(row.pid));
    if (fresh.length === 0) return rows;
    for (const row of fresh) {
      signalExactly(row, 'SIGSTOP');
      stopped.add(row.pid);
    }
  }
}
