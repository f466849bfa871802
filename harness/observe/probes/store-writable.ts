import { messageOf } from '../../core/errors.ts';
import { type SqlAddress, sqlState } from '../../core/sql.ts';
import type { Measurement, Probe } from '../../spi/fault.ts';
import type { Json } from '../../spi/json.ts';
import { pollUntil } from '../poll.ts';
import { ask, databaseOf, unfit } from '../store-targets.ts';

const SQL_MS = 2000;
const WITHIN_MS = 4000;
const READ_ONLY = '25006';
/** Touches no table, and is taken back at once. */
const WRITE = 'create schema seawall_probe';

interface Request {
  address: SqlAddress;
  writable: boolean;
  withinMs: number;
}

/** A write of the store's own user, rolled back. `args.writable` false: it is refused as read-only; true: it is done. */
export const storeWritable: Probe = {
  kind: 'store.writable',
  resolve: async (expectation, env, undo) => {
    const { writable = true, withinMs = WITHIN_MS } = expectation.args;
    const address = databaseOf(expectation, env, undo);
    const request: Request = { address, writable: writable === true, withinMs: Number(withinMs) };
    if (!request.writable) {
      const refused = await write(address);
      if (refused !== undefined) throw unfit(`a write was refused: ${refused.message}`);
    }
    return request as unknown as Json;
  },
  measure: (request, signal) => {
    const { address, writable, withinMs } = request as unknown as Request;
    return pollUntil(withinMs, signal, () => look(address, writable));
  },
};

async function look(address: SqlAddress, writable: boolean): Promise<Measurement> {
  const refused = await write(address);
  const value = refused?.state ?? 'done';
  const because = refused === undefined ? 'a write was done' : `a write was refused (${value}): ${refused.message}`;
  return { holds: writable ? refused === undefined : value === READ_ONLY, value, unit: '', because };
}

/** Nothing when the write was done (and rolled back). */
async function write(address: SqlAddress): Promise<{ state: string; message: string } | undefined> {
  try {
    await ask(address, SQL_MS, async (client) => {
      await client.query('begin');
      await client.query(WRITE);
      await client.query('rollback');
    });
    return undefined;
  } catch (thrown) {
    return { state: sqlState(thrown) ?? 'no answer', message: messageOf(thrown) };
  }
}
