import { setTimeout as sleep } from 'node:timers/promises';
import type { Undo } from '../../harness/spi/fault.ts';
import { proxyDriver } from '../drivers/proxy.ts';
import { act } from './actor.ts';

const REVERT_MS = 10_000;

/** Stands beside the helper that turns a link on and off: when that one is gone, however it went, the link is given back. */
await act(async (args, signal) => {
  const undo = args.undo as unknown as Undo;
  const gone = new Promise((resolve) => process.stdin.once('end', resolve).once('error', resolve).resume());
  // The lease ends this too.
  await Promise.race([gone, sleep(2 ** 31 - 1, undefined, { signal }).catch(() => undefined)]);
  const limit = AbortSignal.timeout(REVERT_MS);
  await proxyDriver.revert(undo, { runId: undo.driver, signal: limit, record: async () => undefined });
  process.exit(0);
});
