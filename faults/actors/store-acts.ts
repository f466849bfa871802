import { HarnessError } from '../../harness/core/errors.ts';
import { withSql } from '../../harness/core/sql.ts';
import type { Effect, FaultContext } from '../../harness/spi/fault.ts';
import type { Json, JsonObject } from '../../harness/spi/json.ts';
import type { Environment, Node } from '../../harness/spi/runtime.ts';
import { SQL_POWER, sessionName, sqlAddress } from '../drivers/store-address.ts';
import type { Act } from './acts.ts';
import type { StoreSeat } from './sessions.ts';
import { tablesOf } from './tables.ts';

const SQL_MS = 3000;
/** A helper holds no more connections than this: it is one process with one limit of open files. */
const CONNECTIONS_MAX = 5000;
const BASELINE_RUNS = 7;

/** Where a helper works in a database, and what its sessions are called there; the probes know that name too. */
function seatFor(effect: Effect, node: Node, env: Environment, ctx: FaultContext): StoreSeat {
  return { address: sqlAddress(node, env), name: sessionName(ctx.runId, effect.kind.replace(/^store\./, '')) };
}

function actArgs(seat: StoreSeat, more: JsonObject, facts: JsonObject): JsonObject {
  return { seat: seat as unknown as Json, ...more, facts: { ...facts, session: seat.name } };
}

const locks: Act = {
  effect: 'store.locked',
  powers: [SQL_POWER],
  program: 'store-locks',
  args: async (effect, node, env, ctx) => {
    const seat = seatFor(effect, node, env, ctx);
    const { tables, busiest, rows } = effect.args as { tables: string[]; busiest: number; rows: string | null };
    const names = await tablesOf(seat.address, seat.name, tables, busiest);
    const statements = names.map((name) =>
      rows === null
        ? `lock table ${name} in access exclusive mode`
        : `select count(*) from (select 1 from ${name} where ${rows} for update) as locked`,
    );
    return actArgs(seat, { locks: statements }, { tables: names });
  },
};

const connections: Act = {
  effect: 'store.connections-held',
  powers: [SQL_POWER],
  program: 'store-connections',
  args: async (effect, node, env, ctx) => {
    const seat = seatFor(effect, node, env, ctx);
    const { rows } = await withSql(seat.address, { name: seat.name, withinMs: SQL_MS }, (client) =>
      client.query<{ most: number }>("select current_setting('max_connections')::int as most"),
    );
    const { most } = rows[0]!;
    if (most <= CONNECTIONS_MAX) return actArgs(seat, { most }, { most });
    const message = `${node.spec.id} allows ${most} connections; one helper holds at most ${CONNECTIONS_MAX}`;
    throw new HarnessError('FAULT_UNSUPPORTED', message, 'Rehearse with a smaller max_connections.');
  },
};

const deadlocks: Act = {
  effect: 'store.deadlocks',
  powers: [SQL_POWER],
  program: 'store-deadlocks',
  args: async (effect, node, env, ctx) => {
    const seat = seatFor(effect, node, env, ctx);
    const { perSecond, table } = effect.args as { perSecond: number; table: string | null };
    const [name = null] = table === null ? [] : await tablesOf(seat.address, seat.name, [table], 1);
    return actArgs(seat, { perSecond, table: name, keys: [...advisoryKeys(ctx.runId)] }, {});
  },
};

const burden: Act = {
  effect: 'store.burdened',
  powers: [SQL_POWER],
  program: 'store-burden',
  args: async (effect, node, env, ctx) => {
    const seat = seatFor(effect, node, env, ctx);
    const { sessions, factor, query } = effect.args as { sessions: number; factor: number; query: string };
    const took = await withSql(seat.address, { name: seat.name, withinMs: SQL_MS }, async (client) => {
      const all: number[] = [];
      while (all.length < BASELINE_RUNS) {
        const begunMs = performance.now();
        await client.query(query);
        all.push(performance.now() - begunMs);
      }
      return all.toSorted((a, b) => a - b);
    });
    return actArgs(seat, { sessions, factor, query }, { baselineMs: took[BASELINE_RUNS >> 1]! });
  },
};

/** Two numbers that nobody else takes for advisory locks, from the run's id. */
function advisoryKeys(runId: string): [number, number] {
  let hash = 0;
  for (const letter of runId) hash = (Math.imul(hash, 31) + letter.charCodeAt(0)) | 0;
  const base = 7_300_000_000 + (hash >>> 0) * 2;
  return [base, base + 1];
}

export const STORE_ACTS: readonly Act[] = [locks, connections, deadlocks, burden];
