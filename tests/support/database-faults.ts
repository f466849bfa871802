import { withSql } from '../../harness/core/sql.ts';
import { findPostgres } from '../../harness/runtime/postgres-programs.ts';
import type { Environment } from '../../harness/spi/runtime.ts';
import { coldRevert, type FaultBench, type FaultCase, heals, type Injected, inject, revert } from './fault-cycle.ts';
import type { Requirement } from './requirements.ts';

export const primary = { store: 'notes', role: 'primary' } as const;
export const standby = { store: 'notes', role: 'standby' } as const;

/** Faults that one node is enough for. */
export const ON_ONE: FaultCase[] = [
  { kind: 'database.read-only', target: primary, params: {} },
  { kind: 'database.lock-storm', target: primary, params: { busiest: 2 } },
  { kind: 'database.lock-storm', target: primary, params: { tables: ['notes'], rows: "key = 'hot'" } },
  { kind: 'database.connection-exhaustion', target: primary, params: {} },
  { kind: 'database.deadlocks', target: primary, params: { rate: '5/s', table: 'notes' } },
  { kind: 'database.slow-queries', target: primary, params: { factor: 2 } },
  { kind: 'database.primary-hang', target: primary, params: {} },
  { kind: 'database.primary-kill', target: primary, params: {} },
  { kind: 'database.cold-restart', target: primary, params: {} },
  { kind: 'database.lost-shard', target: primary, params: {} },
  { kind: 'database.lost-shard', target: primary, params: { by: 'kill' } },
];

/** Faults that are about a primary and its standby. */
export const ON_A_PAIR: FaultCase[] = [
  { kind: 'database.replication-lag', target: standby, params: { lag: '800ms' } },
  { kind: 'database.standby-loss', target: standby, params: {} },
  { kind: 'database.primary-kill', target: primary, params: {} },
  { kind: 'database.primary-hang', target: primary, params: {} },
];

/** A row to lock and a second table, on the stack of one node. */
export async function furnish({ env }: FaultBench): Promise<void> {
  await sql(env, "insert into notes (key) values ('hot'), ('cool'); create table drafts (key text)");
}

/**
 * It bites as asked; a cold process, which knows only the undos, heals it; a second time does no harm. Resolves with
 * whatever was otherwise.
 */
export async function cycle(asked: FaultCase, bench: FaultBench): Promise<unknown[]> {
  const injected = await inject(asked, bench);
  const unbitten = injected.bites.filter(({ holds }) => !holds);
  await coldRevert(injected);
  const unhealed = await amiss(injected, bench);
  await revert(injected, bench);
  const none = injected.bites.length === 0 ? ['it has no effect'] : [];
  return [...none, ...unbitten, ...unhealed, ...(await amiss(injected, bench))];
}

/** Measured heals that do not hold, and whatever of ours is left. */
export async function amiss(injected: Injected, bench: FaultBench): Promise<unknown[]> {
  const unhealed = (await heals(injected, bench)).filter(({ holds }) => !holds);
  return [...unhealed, ...(await leftOf(bench))];
}

/** As somebody who is not Seawall, on every node of the store. */
export async function sql(env: Environment, text: string): Promise<Record<string, unknown>[]> {
  const nodes = [...env.nodes.values()].filter(({ store }) => store !== undefined);
  const answers = nodes.map((node) => {
    const address = { ...env.endpoint(node.spec.id, 'sql', 'tool'), ...node.store!.access! };
    return withSql(address, { name: 'somebody', withinMs: 5000 }, async (client) => {
      const { rows } = await client.query<Record<string, unknown>>(text);
      return rows;
    });
  });
  return (await Promise.all(answers)).flat();
}

/** Sessions, settings and schemas of ours that a look from outside finds. */
export function leftOf({ env }: FaultBench): Promise<unknown[]> {
  return sql(
    env,
    `select application_name::text as what from pg_stat_activity
      where application_name like 'seawall-%' and application_name <> 'seawall-probe'
     union all select name from pg_file_settings
      where name in ('default_transaction_read_only', 'recovery_min_apply_delay')
     union all select nspname::text from pg_namespace where nspname like 'seawall%'`,
  );
}

/** The PostgreSQL programs that the local runtime needs. */
export function postgres(): Requirement<unknown> {
  try {
    return { ok: true, value: findPostgres() };
  } catch (thrown) {
    return { ok: false, reason: thrown instanceof Error ? thrown.message : String(thrown) };
  }
}
