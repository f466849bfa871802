import { setTimeout as sleep } from 'node:timers/promises';
import { HarnessError, messageOf } from '../core/errors.ts';
import type { NodeStore } from '../spi/runtime.ts';
import type { StoreSpec } from '../spi/stack.ts';
import { connected, type DatabaseAddress, databaseRole, readRows } from './postgres-client.ts';

const ROLE_TIMEOUT_MS = 1000;
const INIT_TIMEOUT_MS = 30_000;
/** A connection costs a database a process and a password's thousands of rounds: asked too often, it starts later. */
const POLL_MS = 200;

/** What the harness may ask a database node, over connections of its own. */
export function storeOf(address: DatabaseAddress): NodeStore {
  return {
    engine: 'postgres',
    role: async (signal) => {
      signal.throwIfAborted();
      return databaseRole(address, ROLE_TIMEOUT_MS);
    },
    query: (text, limits) => readRows(address, text, limits),
    access: { user: address.user, password: address.password, database: address.database },
  };
}

/** Resolves when the database answers and has the role that it is to have first; rejects only when aborted. */
export async function storeReady(
  address: DatabaseAddress,
  role: 'primary' | 'standby',
  signal: AbortSignal,
  lastSeen: (what: string) => void,
): Promise<void> {
  for (;;) {
    signal.throwIfAborted();
    try {
      const standby = await connected(address, ROLE_TIMEOUT_MS, async (client) => {
        const answer = await client.query<{ standby: boolean }>('select pg_is_in_recovery() as standby');
        return answer.rows[0]!.standby;
      });
      if (standby === (role === 'standby')) return;
      lastSeen(`it is ${standby ? 'a standby' : 'a primary'}, not a ${role}`);
    } catch (thrown) {
      // Not there yet is what we are waiting out.
      lastSeen(messageOf(thrown));
    }
    await sleep(POLL_MS, undefined, { signal });
  }
}

/** Makes a store's database in a fresh server and runs its SQL. */
export async function initialiseStore(address: DatabaseAddress, store: StoreSpec, sql: string): Promise<void> {
  try {
    if (store.database !== 'postgres') {
      await connected({ ...address, database: 'postgres' }, INIT_TIMEOUT_MS, (client) =>
        client.query(`create database "${store.database.replaceAll('"', '""')}"`),
      );
    }
    if (sql.trim() !== '') await connected(address, INIT_TIMEOUT_MS, (client) => client.query(sql));
  } catch (thrown) {
    const message = `the SQL of ${store.name} (${store.init ?? 'none'}) failed: ${messageOf(thrown)}`;
    throw new HarnessError('QUERY_FAILED', message, 'Mend the file that `init` names.', thrown);
  }
}
