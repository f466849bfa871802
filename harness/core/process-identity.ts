import { execFileSync } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';

/** A pid counts only together with its start time: pids are used again. */
export interface ProcessIdentity {
  pid: number;
  /** Opaque; compare for equality only. */
  started: string;
}

export interface ProcessRow extends ProcessIdentity {
  parent: number;
  command: string;
}

/** The flag by which every process of a run can be found from outside. */
export const RUN_FLAG = '--seawall-run';
export const runArgument = (runId: string): string => `${RUN_FLAG}=${runId}`;

/** Identity of a living process, zombies excluded; undefined when there is none. */
export function identify(pid: number): ProcessIdentity | undefined {
  const row = process.platform === 'linux' ? fromProc(pid) : listByPs().find((found) => found.pid === pid);
  return row === undefined ? undefined : { pid: row.pid, started: row.started };
}

export function isAlive(identity: ProcessIdentity): boolean {
  return identify(identity.pid)?.started === identity.started;
}

/** Sends a signal only if the pid still is the same process. Returns whether it was sent. */
export function signalExactly(identity: ProcessIdentity, signal: NodeJS.Signals): boolean {
  if (!isAlive(identity)) return false;
  try {
    process.kill(identity.pid, signal);
    return true;
  } catch (thrown) {
    if ((thrown as NodeJS.ErrnoException).code === 'ESRCH') return false;
    throw thrown;
  }
}

/** Every living process of this machine that we may see. */
export function listProcesses(): ProcessRow[] {
  if (process.platform !== 'linux') return listByPs();
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .map((name) => fromProc(Number(name)))
    .filter((row) => row !== undefined);
}

/** All descendants of a process, deepest last. */
export function descendants(pid: number, rows: readonly ProcessRow[] = listProcesses()): ProcessRow[] {
  const children = rows.filter((row) => row.parent === pid);
  return children.flatMap((child) => [child, ...descendants(child.pid, rows)]);
}

function fromProc(pid: number): ProcessRow | undefined {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
    // The command in parentheses may hold spaces and parentheses: fields count from the last one.
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
    if (fields[0] === 'Z' || fields[0] === 'X') return undefined;
    const command = readFileSync(`/proc/${pid}/cmdline`, 'utf8').replaceAll('\0', ' ').trim();
    return { pid, parent: Number(fields[1]), started: fields[19] ?? '', command };
  } catch {
    // It ended between the listing and the reading: not a process any more.
    return undefined;
  }
}

function listByPs(): ProcessRow[] {
  const text = execFileSync('ps', ['-axww', '-o', 'pid=,ppid=,stat=,lstart=,command='], { encoding: 'utf8' });
  return text.split('\n').flatMap((line) => {
    const match = /^\s*(\d+)\s+(\d+)\s+(\S+)\s+(\w+\s+\w+\s+\d+\s+[\d:]+\s+\d+)\s+(.*)$/.exec(line);
    if (match === null || match[3]!.startsWith('Z')) return [];
    return [{ pid: Number(match[1]), parent: Number(match[2]), started: match[4]!, command: match[5]! }];
  });
}
