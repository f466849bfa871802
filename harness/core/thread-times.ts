import { readdirSync, readFileSync } from 'node:fs';

/** What all threads of a process had of the processor so far, and what they waited for it while they could have run. */
interface ThreadTimes {
  ranMs: number;
  waitedMs: number;
}

/** Linux only; both are 0 for a process that is gone. */
export function threadTimes(pid: number): ThreadTimes {
  const sum = { ranMs: 0, waitedMs: 0 };
  for (const task of tasksOf(pid)) {
    const [ranNs, waitedNs] = scheduled(pid, task);
    sum.ranMs += ranNs / 1e6;
    sum.waitedMs += waitedNs / 1e6;
  }
  return sum;
}

function tasksOf(pid: number): string[] {
  try {
    return readdirSync(`/proc/${pid}/task`);
  } catch {
    // Gone.
    return [];
  }
}

function scheduled(pid: number, task: string): [number, number] {
  try {
    const [ran, waited] = readFileSync(`/proc/${pid}/task/${task}/schedstat`, 'utf8').split(' ').map(Number);
    return [ran ?? 0, waited ?? 0];
  } catch {
    // The thread ended between the listing and the reading.
    return [0, 0];
  }
}
