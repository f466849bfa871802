import { execFile } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { promisify } from 'node:util';
import { identify } from './process-identity.ts';

const run = promisify(execFile);

interface Segment {
  id: number;
  creator: number;
  attached: number;
}

/**
 * Removes the System V shared memory that killed processes left behind (a database's, some bytes each): only segments
 * that one of `creators` made, to which nobody is attached and whose creator is dead. Returns their ids.
 */
export async function removeSegmentsOf(creators: ReadonlySet<number>): Promise<number[]> {
  const removed: number[] = [];
  for (const segment of listSegments()) {
    if (!creators.has(segment.creator) || segment.attached > 0 || identify(segment.creator) !== undefined) continue;
    if (await remove(segment.id)) removed.push(segment.id);
  }
  return removed;
}

/** The segment that a database's `postmaster.pid` names, if its postmaster is dead. Returns whether it was removed. */
export async function removeSegmentOf(postmasterPid: string): Promise<boolean> {
  const lines = postmasterPid.split('\n');
  const creator = Number(lines[0]);
  const id = Number(lines[6]?.trim().split(/\s+/)[1]);
  if (!Number.isInteger(creator) || !Number.isInteger(id) || identify(creator) !== undefined) return false;
  if (process.platform !== 'linux') return remove(id);
  return (await removeSegmentsOf(new Set([creator]))).includes(id);
}

function listSegments(): Segment[] {
  // Elsewhere than on Linux nothing tells the creator without a privileged tool: there the pid files have to do.
  if (process.platform !== 'linux') return [];
  const [head, ...rows] = readFileSync('/proc/sysvipc/shm', 'utf8').trimEnd().split('\n');
  const names = (head ?? '').trim().split(/\s+/);
  const column = (row: string[], name: string): number => Number(row[names.indexOf(name)]);
  return rows
    .map((row) => row.trim().split(/\s+/))
    .map((row) => ({ id: column(row, 'shmid'), creator: column(row, 'cpid'), attached: column(row, 'nattch') }));
}

async function remove(id: number): Promise<boolean> {
  try {
    await run('ipcrm', ['-m', String(id)]);
    return true;
  } catch (thrown) {
    // Somebody else was faster; anything but that leaves it in the list.
    if (!listSegments().some((segment) => segment.id === id)) return false;
    throw thrown;
  }
}
