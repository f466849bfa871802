import { setTimeout as sleep } from 'node:timers/promises';
import { ask } from './http-ask.ts';

const POLL_MS = 50;
const TRY_MS = 3000;

/** Resolves when `url` answers 2xx; rejects only when aborted. `lastSeen` always tells what the last try met. */
export async function httpReady(url: string, signal: AbortSignal, lastSeen: (what: string) => void): Promise<void> {
  while (!(await answers(url, signal, lastSeen))) await sleep(POLL_MS, undefined, { signal });
}

async function answers(url: string, signal: AbortSignal, lastSeen: (what: string) => void): Promise<boolean> {
  try {
    const { status } = await ask(url, AbortSignal.any([signal, AbortSignal.timeout(TRY_MS)]));
    lastSeen(`it answered ${status}`);
    return status >= 200 && status < 300;
  } catch (thrown) {
    signal.throwIfAborted();
    // Not there yet is what we are waiting out.
    lastSeen(thrown instanceof Error ? thrown.message || thrown.name : String(thrown));
    return false;
  }
}
