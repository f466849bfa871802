import { messageOf } from '../../core/errors.ts';
import { isPassing, type SqlAddress } from '../../core/sql.ts';
import type { Measurement, Probe } from '../../spi/fault.ts';
import type { Json } from '../../spi/json.ts';
import { pollUntil } from '../poll.ts';
import { ask, databaseOf, factsOf, sessionsNamed } from '../store-targets.ts';

/** Slow is what is asked for here: a statement may take its time. */
const SQL_MS = 4000;
const WITHIN_MS = 3500;
const RUNS = 9;

interface Request {
  address: SqlAddress;
  query: string;
  baselineMs: number;
  /** At least so many times the baseline; or, where the fault has to be over, at most. */
  factor: number;
  slow: boolean;
  withinMs: number;
  session: string;
}

/**
 * The median time of a judged statement. `args.factor`: at least so many times what it was before the fault;
 * `args.below`: at most so many times, and no session of the fault's is left.
 */
export const storeQueryTime: Probe = {
  kind: 'store.query-time',
  resolve: async (expectation, env, undo) => {
    const { factor, below, withinMs = WITHIN_MS } = expectation.args;
    const { query } = expectation.args as { query: string };
    const address = databaseOf(expectation, env, undo);
    const { session, baselineMs } = factsOf(undo);
    const slow = factor !== undefined;
    const request: Request = {
      address,
      query,
      // The probe's own where it can: the driver's is what is left when the fault is over.
      baselineMs: slow ? await medianMs(address, query) : baselineMs,
      factor: Number(slow ? factor : below),
      slow,
      withinMs: Number(withinMs),
      session,
    };
    return request as unknown as Json;
  },
  measure: (request, signal) => {
    const asked = request as unknown as Request;
    return pollUntil(asked.withinMs, signal, () => look(asked));
  },
};

async function look({ address, query, baselineMs, factor, slow, session }: Request): Promise<Measurement> {
  try {
    const took = await medianMs(address, query);
    const left = slow ? 0 : await sessionsNamed(address, session, SQL_MS);
    const times = Math.round((took / baselineMs) * 10) / 10;
    const holds = slow ? took >= baselineMs * factor : took <= baselineMs * factor && left === 0;
    const asked = slow ? `at least ${factor} times asked` : `at most ${factor} times expected`;
    const said = [`p50 ${took.toFixed(1)} ms, ${times} times the ${baselineMs.toFixed(1)} ms before; ${asked}`];
    if (left > 0) said.push(`${left} sessions of the fault are left`);
    return { holds, value: times, unit: 'times', because: said.join('; ') };
  } catch (thrown) {
    if (!isPassing(thrown)) throw thrown;
    return { holds: false, value: 'no answer', unit: '', because: `the database did not answer: ${messageOf(thrown)}` };
  }
}

async function medianMs(address: SqlAddress, query: string): Promise<number> {
  return ask(address, SQL_MS, async (client) => {
    const took: number[] = [];
    while (took.length < RUNS) {
      const begunMs = performance.now();
      await client.query(query);
      took.push(performance.now() - begunMs);
    }
    return took.toSorted((a, b) => a - b)[RUNS >> 1]!;
  });
}
