import { systemClock } from '../core/clock.ts';
import { HarnessError } from '../core/errors.ts';
import { isAlive, type ProcessIdentity, signalExactly } from '../core/process-identity.ts';
import { EXIT } from './exit.ts';
import { entryOf } from './heal.ts';
import { healDeps } from './wiring.ts';

const STOP_DEADLINE_MS = 120_000;
const POLL_MS = 100;

/**
 * `seawall stop [RUN]`: asks living runs of this user to heal, report and end, and waits until they have. Without a
 * RUN: all of them.
 */
export async function stopCommand(runId: string | undefined): Promise<number> {
  const { index } = healDeps();
  // A kept stack is held by the run that works on it, and that one is in the list itself.
  const all = index.list().filter(({ kept }) => kept !== true);
  const entries = runId === undefined ? all : [entryOf(runId, all)];
  const living = entries.flatMap((entry) => {
    const owner = index.holder(entry.runId);
    return owner === undefined ? [] : [{ entry, owner }];
  });
  if (living.length === 0) {
    process.stdout.write('nothing to stop: no run is alive\n');
    return EXIT.pass;
  }
  for (const { entry, owner } of living) {
    signalExactly(owner, 'SIGINT');
    process.stdout.write(`run ${entry.runId}: asked process ${owner.pid} to heal and end\n`);
  }
  for (const { entry, owner } of living) {
    await ended(entry.runId, owner);
    process.stdout.write(`run ${entry.runId}: ended; its folder: ${entry.runDir}\n`);
  }
  const left = living.filter(({ entry }) => index.get(entry.runId) !== undefined);
  for (const { entry } of left)
    process.stdout.write(`run ${entry.runId}: not healed; run: seawall heal ${entry.runId}\n`);
  return left.length === 0 ? EXIT.pass : EXIT.leftover;
}

async function ended(runId: string, owner: ProcessIdentity): Promise<void> {
  const untilMs = systemClock.now() + STOP_DEADLINE_MS;
  while (isAlive(owner)) {
    if (systemClock.now() > untilMs) {
      const hint = `End process ${owner.pid} yourself, then: seawall heal ${runId}`;
      throw new HarnessError('HEAL_INCOMPLETE', `run ${runId} did not end within ${STOP_DEADLINE_MS / 1000} s`, hint);
    }
    await systemClock.sleep(POLL_MS);
  }
}
