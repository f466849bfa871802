import { writeFileSync } from 'node:fs';
import { setPriority } from 'node:os';
import { setTimeout as sleep } from 'node:timers/promises';

const GROUP_RETRY_MS = 110;
const GROUP_TRIES = 30;

/** One change at a time: the kernel takes only ten a second from all who are not root together. */
let queue: Promise<void> = Promise.resolve();

/**
 * How much a process yields to others on a busy machine, as in nice(1). Where the kernel schedules sessions before
 * processes (Linux's autogroups), a process that leads a session yields only when its group does too: with the
 * process's own niceness alone nothing would change. Resolves when both are set, or when they cannot be: a process may
 * have ended meanwhile, and what is not ours to change stays as it is. Whether the yielding was enough is no belief of
 * the verdict: the generator measures its own lateness.
 */
export function setNiceness(pid: number, niceness: number): Promise<void> {
  try {
    setPriority(pid, niceness);
  } catch (thrown) {
    if ((thrown as NodeJS.ErrnoException).code !== 'ERR_SYSTEM_ERROR') throw thrown;
    return Promise.resolve();
  }
  const group = `/proc/${pid}/autogroup`;
  queue = queue.then(() => setGroup(group, niceness));
  return queue;
}

async function setGroup(group: string, niceness: number): Promise<void> {
  for (let tried = 0; tried < GROUP_TRIES; tried++) {
    try {
      writeFileSync(group, String(niceness));
      return;
    } catch (thrown) {
      if ((thrown as NodeJS.ErrnoException).code !== 'EAGAIN') return;
      await sleep(GROUP_RETRY_MS, undefined, { ref: false });
    }
  }
}
