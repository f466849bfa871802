import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { setTimeout as sleep } from 'node:timers/promises';
import { joinGroup, timesThrottled } from '../core/control-groups.ts';
import { runArgument } from '../core/process-identity.ts';
import { threadTimes } from '../core/thread-times.ts';

/** However it goes, a burner is gone after this. */
const LIFE_MS = 4000;
const SETTLE_MS = 150;
const PROGRAM = `const end = Date.now() + ${LIFE_MS}; while (Date.now() < end);`;

/** What one thread that never rests got in a group within a time. */
export interface Burnt {
  cores: number;
  /** Share of the time that it could have run and had no core. */
  waited: number;
  /** How often the whole group was held back meanwhile. */
  throttled: number;
}

/** Puts a program that never rests into a group for processor time and sees for `spanMs` how much of a core it gets. */
export async function burnIn(runId: string, cpuFolder: string, spanMs: number, signal: AbortSignal): Promise<Burnt> {
  signal.throwIfAborted();
  const child = spawn(process.execPath, ['-e', PROGRAM, '--', runArgument(runId)], { stdio: 'ignore' });
  const over = once(child, 'exit');
  try {
    await once(child, 'spawn');
    const pid = child.pid!;
    joinGroup(pid, cpuFolder);
    // What it had used before it joined is forgotten, and the quota of the present period used up.
    await sleep(SETTLE_MS, undefined, { signal });
    const [before, throttledBefore, startMs] = [threadTimes(pid), timesThrottled(cpuFolder), performance.now()];
    await sleep(spanMs, undefined, { signal });
    const [after, throttled, tookMs] = [threadTimes(pid), timesThrottled(cpuFolder), performance.now() - startMs];
    return {
      cores: (after.ranMs - before.ranMs) / tookMs,
      waited: (after.waitedMs - before.waitedMs) / tookMs,
      throttled: throttled - throttledBefore,
    };
  } finally {
    child.kill('SIGKILL');
    await over;
  }
}
