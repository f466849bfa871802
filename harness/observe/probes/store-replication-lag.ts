import { setTimeout as sleep } from 'node:timers/promises';
import { messageOf } from '../../core/errors.ts';
import { isPassing, openSql, type SqlAddress, type SqlSession } from '../../core/sql.ts';
import type { Measurement, Probe } from '../../spi/fault.ts';
import type { Json } from '../../spi/json.ts';
import { pollUntil } from '../poll.ts';
import { membersOf } from '../store-targets.ts';
import { nodeOf } from '../targets.ts';

const SQL_MS = 2000;
const WITHIN_MS = 1000;
const POLL_MS = 20;
/** Longer lags are not waited out: that it has not been shown by then, and what the standby itself says, must do. */
const WATCH_MAX_MS = 3000;
const TOLERANCE_RATIO = 0.2;
const TOLERANCE_MIN_MS = 150;

interface Request {
  standby: string;
  members: (SqlAddress & { node: string })[];
  /** Asked; 0 where it has to be over. */
  lagMs: number;
  /** Over is: shown within this. */
  belowMs: number;
  withinMs: number;
}

/**
 * A commit of the probe's own on the primary, which changes no table, and how long it takes until the standby shows it.
 * `args.lagMs`: that long; `args.belowMs`: at most that long.
 */
export const storeReplicationLag: Probe = {
  kind: 'store.replication-lag',
  resolve: async (expectation, env, undo) => {
    const node = nodeOf(expectation, env, undo);
    const { lagMs = 0, belowMs = 0, withinMs = WITHIN_MS } = expectation.args as Record<string, number>;
    const members = membersOf(expectation.kind, node, env);
    const request: Request = { standby: node.spec.id, members, lagMs, belowMs, withinMs };
    return request as unknown as Json;
  },
  measure: (request, signal) => {
    const asked = request as unknown as Request;
    return pollUntil(asked.withinMs, signal, () => look(asked, signal));
  },
};

async function look(request: Request, signal: AbortSignal): Promise<Measurement> {
  const sessions = new Map<string, SqlSession>();
  try {
    for (const { node, ...address } of request.members) {
      sessions.set(node, await openSql(address, { name: 'seawall-probe', withinMs: SQL_MS }));
    }
    const standby = sessions.get(request.standby)!;
    const primary = await primaryOf(sessions);
    if (primary === undefined) return failed('the store has no primary now');
    if (primary === standby) return failed(`${request.standby} is primary now, not standby`);
    return await compare(request, primary, standby, signal);
  } catch (thrown) {
    if (!isPassing(thrown)) throw thrown;
    return failed(`a member did not answer: ${messageOf(thrown)}`);
  } finally {
    await Promise.all([...sessions.values()].map((session) => session.close()));
  }
}

async function compare(
  { lagMs, belowMs }: Request,
  primary: SqlSession,
  standby: SqlSession,
  signal: AbortSignal,
): Promise<Measurement> {
  const toleranceMs = Math.max(TOLERANCE_MIN_MS, TOLERANCE_RATIO * lagMs);
  const watchMs = Math.min(lagMs > 0 ? lagMs + toleranceMs : belowMs, WATCH_MAX_MS);
  const seen = await watch(primary, standby, watchMs, signal);
  const value = Math.round(seen.ms);
  const shown = seen.shown ? `shown on the standby after ${value} ms` : `not shown on the standby after ${value} ms`;
  const arrived = seen.received ? '' : ', where it has not even arrived';
  const result = (holds: boolean, asked: string): Measurement => ({
    holds,
    value,
    unit: 'ms',
    because: `a commit was ${shown}${arrived}; ${asked}`,
  });
  if (lagMs === 0) return result(seen.shown && seen.ms <= belowMs, `at most ${belowMs} ms expected`);
  if (lagMs + toleranceMs <= WATCH_MAX_MS) {
    return result(seen.shown && Math.abs(seen.ms - lagMs) <= toleranceMs, `asked ${lagMs} ± ${toleranceMs} ms`);
  }
  const { rows } = await standby.client.query<{ ms: number }>(
    "select setting::int as ms from pg_settings where name = 'recovery_min_apply_delay'",
  );
  const said = rows[0]!.ms;
  const asked = `asked ${lagMs} ms, and the standby itself says ${said} ms`;
  return result(!seen.shown && seen.received && said === lagMs, asked);
}

/** How long until the standby shows a commit of this moment, or all the time where it does not. */
async function watch(
  primary: SqlSession,
  standby: SqlSession,
  withinMs: number,
  signal: AbortSignal,
): Promise<{ ms: number; shown: boolean; received: boolean }> {
  // A commit that waits for the standby to show it would wait for the very lag that is measured.
  await primary.client.query('set synchronous_commit = local');
  const begunMs = performance.now();
  await primary.client.query("select pg_logical_emit_message(true, 'seawall', 'how late are you')");
  const { rows } = await primary.client.query<{ at: string }>('select pg_current_wal_insert_lsn()::text as at');
  for (;;) {
    const answer = await standby.client.query<{ shown: boolean; received: boolean }>(
      'select pg_last_wal_replay_lsn() >= $1::pg_lsn as shown, pg_last_wal_receive_lsn() >= $1::pg_lsn as received',
      [rows[0]!.at],
    );
    const { shown, received } = answer.rows[0]!;
    const ms = performance.now() - begunMs;
    if (shown || ms >= withinMs) return { ms, shown, received };
    await sleep(POLL_MS, undefined, { signal });
  }
}

async function primaryOf(sessions: ReadonlyMap<string, SqlSession>): Promise<SqlSession | undefined> {
  for (const session of sessions.values()) {
    const { rows } = await session.client.query<{ standby: boolean }>('select pg_is_in_recovery() as standby');
    if (rows[0]?.standby === false) return session;
  }
  return undefined;
}

const failed = (because: string): Measurement => ({ holds: false, value: 'not measured', unit: '', because });
