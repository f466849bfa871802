import { setTimeout as sleep } from 'node:timers/promises';
import { messageOf } from '../../core/errors.ts';
import { isPassing, type SqlAddress } from '../../core/sql.ts';
import type { Measurement, Probe } from '../../spi/fault.ts';
import type { Json } from '../../spi/json.ts';
import { pollUntil } from '../poll.ts';
import { ask, databaseOf, factsOf, sessionsNamed } from '../store-targets.ts';

const SQL_MS = 2000;
const WINDOW_MS = 2000;
const GONE_WINDOW_MS = 1000;
/** The first of them may take a moment. */
const FIRST_WITHIN_MS = 2000;
const POLL_MS = 50;
const TOLERANCE_RATIO = 0.25;
/** A window may cut one off at either end. */
const TOLERANCE_COUNT = 1.01;

interface Request {
  address: SqlAddress;
  perSecond: number;
  /** Above 0: they have to be over. */
  withinMs: number;
  session: string;
}

/**
 * Deadlocks that the server itself counts in a window. `args.perSecond` above 0: so many a second; 0: none, and no
 * session of the fault's is left.
 */
export const storeDeadlockRate: Probe = {
  kind: 'store.deadlock-rate',
  resolve: async (expectation, env, undo) => {
    const { perSecond = 0, withinMs = 0 } = expectation.args;
    const { session } = factsOf(undo);
    const address = databaseOf(expectation, env, undo);
    const request: Request = { address, perSecond: Number(perSecond), withinMs: Number(withinMs), session };
    return request as unknown as Json;
  },
  measure: (request, signal) => {
    const asked = request as unknown as Request;
    if (asked.perSecond > 0) return rate(asked, signal);
    return pollUntil(asked.withinMs, signal, () => gone(asked, signal));
  },
};

async function rate({ address, perSecond }: Request, signal: AbortSignal): Promise<Measurement> {
  const end = performance.now() + FIRST_WITHIN_MS;
  let before = await deadlocks(address);
  for (const first = before; before === first && performance.now() < end; before = await deadlocks(address)) {
    await sleep(POLL_MS, undefined, { signal });
  }
  const begunMs = performance.now();
  await sleep(WINDOW_MS, undefined, { signal });
  const counted = (await deadlocks(address)) - before;
  const seconds = (performance.now() - begunMs) / 1000;
  const expected = perSecond * seconds;
  const low = expected - Math.max(TOLERANCE_COUNT, TOLERANCE_RATIO * expected);
  // The application's own count too: more than asked is no failed injection unless it is out of all proportion.
  const holds = counted >= low && counted <= 2 * expected + TOLERANCE_COUNT;
  const because = `the server counted ${counted} deadlocks in ${seconds.toFixed(1)} s, asked ${perSecond} a second`;
  return { holds, value: Math.round((counted / seconds) * 10) / 10, unit: '/s', because };
}

async function gone({ address, session }: Request, signal: AbortSignal): Promise<Measurement> {
  try {
    const before = await deadlocks(address);
    await sleep(GONE_WINDOW_MS, undefined, { signal });
    const counted = (await deadlocks(address)) - before;
    const left = await sessionsNamed(address, session, SQL_MS);
    const because = `the server counted ${counted} deadlocks in ${GONE_WINDOW_MS} ms; ${left} sessions of the fault are left`;
    return { holds: counted === 0 && left === 0, value: counted, unit: 'deadlocks', because };
  } catch (thrown) {
    if (!isPassing(thrown)) throw thrown;
    return { holds: false, value: 'no answer', unit: '', because: `the database did not answer: ${messageOf(thrown)}` };
  }
}

async function deadlocks(address: SqlAddress): Promise<number> {
  return ask(address, SQL_MS, async (client) => {
    const { rows } = await client.query<{ deadlocks: number }>(
      'select deadlocks::int as deadlocks from pg_stat_database where datname = current_database()',
    );
    return rows[0]!.deadlocks;
  });
}
