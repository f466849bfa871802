import { type SqlSession, sqlState } from '../../harness/core/sql.ts';
import { act } from './actor.ts';
import { keepDoing, openLeased, pause, seatOf } from './sessions.ts';

const DEADLOCK = '40P01';
/** How soon our sessions look whether they wait in a circle; the server's usual second would bound the rate. */
const LOOK_AFTER_MS = '20';

interface Request {
  perSecond: number;
  /** Quoted, with its schema; null for advisory locks on `keys`. */
  table: string | null;
  keys: [number, number];
}

/** Two sessions take two locks crosswise, so often a second; the server ends one of each pair. */
await act(async (args, signal, expiresAtMs) => {
  const { perSecond, table, keys } = args as unknown as Request;
  const everyMs = 1000 / perSecond;

  await keepDoing('deadlocks', signal, async () => {
    const settings = { deadlock_timeout: LOOK_AFTER_MS };
    const pair = await Promise.all([0, 1].map(() => openLeased(seatOf(args), expiresAtMs, settings)));
    try {
      await cross(pair[0]!, pair[1]!);
    } finally {
      await Promise.all(pair.map((session) => session.close()));
    }
  });

  async function cross(one: SqlSession, other: SqlSession): Promise<void> {
    // Against the clock, so that what one takes longer is not lost on all that follow.
    for (let nextMs = performance.now(); !signal.aborted; nextMs = Math.max(nextMs + everyMs, performance.now())) {
      await pause(Math.max(0, nextMs - performance.now()), signal);
      if (signal.aborted) return;
      const [first, second] = await locks(one);
      await Promise.all([one, other].map(({ client }) => client.query('begin')));
      await Promise.all([one.client.query(first), other.client.query(second)]);
      const ends = await Promise.allSettled([one.client.query(second), other.client.query(first)]);
      await Promise.all([one, other].map(({ client }) => client.query('rollback')));
      for (const end of ends) {
        if (end.status === 'rejected' && sqlState(end.reason) !== DEADLOCK) throw end.reason;
      }
      // Servers tell of deadlocks when a session has nothing to do for ten seconds, or is asked to.
      await Promise.all([one, other].map(({ client }) => client.query('select pg_stat_force_next_flush()')));
    }
  }

  /** Statements that lock two different things. */
  async function locks({ client }: SqlSession): Promise<[string, string]> {
    if (table === null) {
      return [`select pg_advisory_xact_lock(${keys[0]})`, `select pg_advisory_xact_lock(${keys[1]})`];
    }
    const { rows } = await client.query<{ at: string }>(`select ctid::text as at from ${table} limit 2`);
    if (rows.length < 2) throw new Error(`${table} has ${rows.length} rows; a deadlock needs two`);
    const [first, second] = rows.map(({ at }) => `select 1 from ${table} where ctid = '${at}' for update`);
    return [first!, second!];
  }
});
