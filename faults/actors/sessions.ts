import { setTimeout as sleep } from 'node:timers/promises';
import { messageOf } from '../../harness/core/errors.ts';
import { openSql, type SqlAddress, type SqlSession } from '../../harness/core/sql.ts';
import type { JsonObject } from '../../harness/spi/json.ts';

/** What every helper that works in a database is told: where, and what its sessions are to be called. */
export interface StoreSeat {
  address: SqlAddress;
  name: string;
}

const CONNECT_MS = 5000;
const RETRY_MS = 200;

export function seatOf(args: JsonObject): StoreSeat {
  return args.seat as unknown as StoreSeat;
}

/**
 * A session that does not outlive the lease, not even when neither the helper nor its machine is there any more: the
 * server itself ends what it does and what it holds.
 */
export function openLeased(
  { address, name }: StoreSeat,
  expiresAtMs: number,
  settings: Readonly<Record<string, string>> = {},
): Promise<SqlSession> {
  const statementMs = Math.max(1000, expiresAtMs - Date.now());
  const leftMs = String(statementMs);
  return openSql(address, {
    name,
    withinMs: CONNECT_MS,
    statementMs,
    settings: {
      statement_timeout: leftMs,
      idle_session_timeout: leftMs,
      idle_in_transaction_session_timeout: leftMs,
      // A helper that was killed is noticed in the middle of a statement too.
      client_connection_check_interval: '250',
      lock_timeout: '0',
      ...settings,
    },
  });
}

/** Does `work` again and again until the signal aborts; a session that was lost is opened anew after a moment. */
export async function keepDoing(what: string, signal: AbortSignal, work: () => Promise<void>): Promise<void> {
  let said = '';
  while (!signal.aborted) {
    try {
      await work();
    } catch (thrown) {
      const why = messageOf(thrown);
      if (why !== said && !signal.aborted) process.stderr.write(`${what}: ${why}\n`);
      said = why;
      await pause(RETRY_MS, signal);
    }
  }
}

/** Sleeps; ends early, and without a word, when the signal aborts. */
export async function pause(ms: number, signal: AbortSignal): Promise<void> {
  await sleep(ms, undefined, { signal }).catch(() => undefined);
}

export function aborted(signal: AbortSignal): Promise<void> {
  if (signal.aborted) return Promise.resolve();
  return new Promise((resolve) => signal.addEventListener('abort', () => resolve(), { once: true }));
}
