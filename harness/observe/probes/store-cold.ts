import { messageOf } from '../../core/errors.ts';
import { isPassing, type SqlAddress } from '../../core/sql.ts';
import type { Measurement, Probe } from '../../spi/fault.ts';
import type { Json } from '../../spi/json.ts';
import { pollUntil } from '../poll.ts';
import { ask, databaseOf } from '../store-targets.ts';

const SQL_MS = 2000;
const WITHIN_MS = 40_000;

interface Request {
  address: SqlAddress;
  withinMs: number;
  /** Younger than this at the moment of asking, plus what asking takes. */
  upAtMostMs: number;
}

interface Seen {
  up: number;
  hits: number;
  reads: number;
}

/**
 * The server answers, was started a short while ago, and its buffers count from zero: what it had in memory is gone.
 * Asked until `args.withinMs` are over.
 */
export const storeCold: Probe = {
  kind: 'store.cold',
  resolve: async (expectation, env, undo) => {
    const { withinMs = WITHIN_MS, upAtMostMs = WITHIN_MS } = expectation.args as Record<string, number>;
    return { address: databaseOf(expectation, env, undo), withinMs, upAtMostMs } as unknown as Json;
  },
  measure: (request, signal) => {
    const asked = request as unknown as Request;
    const begunMs = performance.now();
    return pollUntil(asked.withinMs, signal, () => look(asked, performance.now() - begunMs));
  },
};

const QUESTION = `select extract(epoch from clock_timestamp() - pg_postmaster_start_time())::float8 * 1000 as up,
  sum(blks_hit)::float8 as hits, sum(blks_read)::float8 as reads from pg_stat_database`;

async function look({ address, upAtMostMs }: Request, waitedMs: number): Promise<Measurement> {
  try {
    const { up, hits, reads } = await ask(address, SQL_MS, async (client) => {
      const { rows } = await client.query<Seen>(QUESTION);
      return rows[0]!;
    });
    const because = `it was started ${(up / 1000).toFixed(1)} s ago and has found ${hits} pages in its buffers and read ${reads} since`;
    return { holds: up <= upAtMostMs + waitedMs, value: Math.round(up), unit: 'ms up', because };
  } catch (thrown) {
    if (!isPassing(thrown)) throw thrown;
    return { holds: false, value: 'no answer', unit: '', because: `it does not answer: ${messageOf(thrown)}` };
  }
}
