import { HarnessError } from '../core/errors.ts';
import { type SqlAddress, withSql } from '../core/sql.ts';
import type { Expectation, Undo } from '../spi/fault.ts';
import type { Environment, Node } from '../spi/runtime.ts';
import { nodeOf } from './targets.ts';

/** What the probe's own sessions are called. */
const NAME = 'seawall-probe';

/** How the probe process reaches the database node that an expectation is about. */
export function databaseOf(expectation: Expectation, env: Environment, undo: Undo | undefined): SqlAddress {
  return addressOf(expectation.kind, nodeOf(expectation, env, undo), env);
}

/** Every member of the store that a node belongs to. */
export function membersOf(kind: string, node: Node, env: Environment): (SqlAddress & { node: string })[] {
  const members = [...env.nodes.values()].filter(({ spec }) => spec.kind === 'store' && spec.of === node.spec.of);
  return members.map((member) => ({ node: member.spec.id, ...addressOf(kind, member, env) }));
}

function addressOf(kind: string, node: Node, env: Environment): SqlAddress {
  const access = node.store?.access;
  if (access !== undefined) return { ...env.endpoint(node.spec.id, 'sql', 'tool'), ...access };
  const hint = 'The runtime must give access to the members of a store.';
  throw new HarnessError('PROBE_FAILED', `${kind}: ${node.spec.id} cannot be asked over SQL`, hint);
}

/** What the driver found while it prepared, and no secret. */
export interface StoreFacts {
  /** What the fault's own sessions are called; empty where it has none. */
  session: string;
  tables: string[];
  /** What the judged statement took before. */
  baselineMs: number;
}

export function factsOf(undo: Undo | undefined): StoreFacts {
  return { session: '', tables: [], baselineMs: 0, ...(undo?.state.facts as Partial<StoreFacts> | undefined) };
}

/** A short session of the probe's own. */
export function ask<T>(
  address: SqlAddress,
  withinMs: number,
  work: Parameters<typeof withSql<T>>[2],
  settings: Readonly<Record<string, string>> = {},
): Promise<T> {
  return withSql(address, { name: NAME, withinMs, settings }, work);
}

/** How many sessions of that name the server has. */
export async function sessionsNamed(address: SqlAddress, name: string, withinMs: number): Promise<number> {
  return ask(address, withinMs, async (client) => {
    const { rows } = await client.query<{ sessions: number }>(
      'select count(*)::int as sessions from pg_stat_activity where application_name = $1',
      [name],
    );
    return rows[0]!.sessions;
  });
}

/** The request's own failure before anything was done: a fault on what is ill already proves nothing. */
export function unfit(what: string): HarnessError {
  return new HarnessError('PROBE_FAILED', `before the fault ${what}`, 'Leave it time to recover, or look at its log.');
}
