import { HarnessError, messageOf } from '../../harness/core/errors.ts';
import type { JsonObject } from '../../harness/spi/json.ts';

/** Where a helper finds what it is asked for: in its environment, since arguments can be read by every user. */
export const REQUEST_VARIABLE = 'SEAWALL_ACTOR';
/** How long a helper that was asked to end may take to put back what it did. */
export const END_MS = 2000;

export interface ActorRequest {
  /** Epoch ms at which the helper ends by itself, whoever may still want it. */
  expiresAtMs: number;
  args: JsonObject;
}

/**
 * Body of a helper program that keeps an effect up. `work` goes on until the signal aborts: at SIGTERM or at the lease's
 * end, whichever comes first. It puts back what it did before it resolves, or the process is ended all the same.
 */
export async function act(
  work: (args: JsonObject, signal: AbortSignal, expiresAtMs: number) => Promise<void>,
): Promise<void> {
  const { expiresAtMs, args } = requestOf(process.env[REQUEST_VARIABLE]);
  const over = new AbortController();
  const end = (why: string): void => {
    over.abort(new Error(why));
    setTimeout(() => process.exit(1), END_MS).unref();
  };
  process.once('SIGTERM', () => end('asked to end'));
  const lease = setTimeout(() => end('the lease is over'), Math.max(0, expiresAtMs - Date.now()));
  try {
    await work(args, over.signal, expiresAtMs);
  } catch (thrown) {
    if (over.signal.aborted) return;
    process.stderr.write(`${messageOf(thrown)}\n`);
    process.exitCode = 1;
  } finally {
    clearTimeout(lease);
  }
}

function requestOf(text: string | undefined): ActorRequest {
  if (text !== undefined) return JSON.parse(text) as ActorRequest;
  throw new HarnessError('INTERNAL', `${REQUEST_VARIABLE} is not set`, 'Helpers are started by the actor driver.');
}
