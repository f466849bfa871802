import { Socket } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import pg from 'pg';
import { HarnessError, messageOf } from '../core/errors.ts';
import type { JsonObject } from '../spi/json.ts';
import type { Address } from '../spi/runtime.ts';

/** How the harness itself reaches a database: straight, past every proxy. */
export interface DatabaseAddress extends Address {
  database: string;
  user: string;
  password: string;
}

/** How long a server may take to say goodbye before the connection is cut. */
const GOODBYE_MS = 200;

/** Runs `work` over a connection of its own and closes it, whatever state the server is in. */
export async function connected<T>(
  address: DatabaseAddress,
  timeoutMs: number,
  work: (client: pg.Client) => Promise<T>,
): Promise<T> {
  const socket = new Socket();
  const client = new pg.Client({
    ...address,
    ssl: false,
    application_name: 'seawall',
    connectionTimeoutMillis: timeoutMs,
    query_timeout: timeoutMs,
    statement_timeout: timeoutMs,
    stream: () => socket,
  });
  let broken: Error | undefined;
  client.on('error', (error) => {
    broken = error;
  });
  try {
    await client.connect();
    return await work(client);
  } catch (thrown) {
    throw broken ?? thrown;
  } finally {
    // A frozen server never answers the goodbye, and a broken connection cannot say it: both are cut.
    await Promise.race([client.end().catch(() => undefined), sleep(GOODBYE_MS)]);
    socket.destroy();
  }
}

/** `primary` or `standby` as the database itself says; `unknown` when it does not answer. */
export async function databaseRole(
  address: DatabaseAddress,
  timeoutMs: number,
): Promise<'primary' | 'standby' | 'unknown'> {
  try {
    const standby = await connected(address, timeoutMs, async (client) => {
      const answer = await client.query<{ standby: boolean }>('select pg_is_in_recovery() as standby');
      return answer.rows[0]?.standby;
    });
    if (standby === undefined) return 'unknown';
    return standby ? 'standby' : 'primary';
  } catch {
    // A database that does not answer has no role that anybody could tell: that is the answer.
    return 'unknown';
  }
}

/** The rows of one read-only query, at most `rowsMax`; text and dates as JSON has them. */
export async function readRows(
  address: DatabaseAddress,
  text: string,
  limits: { timeoutMs: number; rowsMax: number },
): Promise<JsonObject[]> {
  try {
    return await connected(address, limits.timeoutMs, async (client) => {
      await client.query('begin read only');
      await client.query(`declare seawall_rows no scroll cursor for ${text.trim().replace(/;$/, '')}`);
      const answer = await client.query(`fetch forward ${Math.trunc(limits.rowsMax)} from seawall_rows`);
      await client.query('rollback');
      return JSON.parse(JSON.stringify(answer.rows)) as JsonObject[];
    });
  } catch (thrown) {
    const where = `${address.database} at ${address.host}:${address.port}`;
    const message = `${where} did not answer "${text.trim().slice(0, 200)}": ${messageOf(thrown)}`;
    throw new HarnessError('QUERY_FAILED', message, 'Try the query against the store by hand.', thrown);
  }
}
