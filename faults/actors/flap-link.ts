import { spawn } from 'node:child_process';
import { setTimeout as sleep } from 'node:timers/promises';
import { ownProgram } from '../../harness/core/own-program.ts';
import type { FaultContext, Undo } from '../../harness/spi/fault.ts';
import { proxyDriver } from '../drivers/proxy.ts';
import { act } from './actor.ts';

/** One turn of the link, either way. */
const TURN_MS = 5000;

/**
 * Makes a link silent for `downMs`, then lets it be for `upMs`, again and again, on a beat of its own. A guard beside it
 * gives the link back at once should this helper die in the middle.
 */
await act(async (args, signal) => {
  const undo = args.undo as unknown as Undo;
  const [upMs, downMs] = [Number(args.upMs), Number(args.downMs)];
  spawn(process.execPath, [ownProgram('./flap-guard', import.meta.url), ...process.argv.slice(2)], {
    detached: true,
    stdio: ['pipe', 'ignore', 'inherit'],
  }).unref();
  try {
    for (let dueMs = performance.now(); !signal.aborted; dueMs += upMs + downMs) {
      await until(dueMs, signal);
      await proxyDriver.apply(undo, turn(undo));
      await until(dueMs + downMs, signal);
      await proxyDriver.revert(undo, turn(undo));
    }
  } finally {
    await proxyDriver.revert(undo, turn(undo));
  }
});

async function until(dueMs: number, signal: AbortSignal): Promise<void> {
  await sleep(Math.max(0, dueMs - performance.now()), undefined, { signal });
}

function turn(undo: Undo): FaultContext {
  return { runId: undo.driver, signal: AbortSignal.timeout(TURN_MS), record: async () => undefined };
}
