import { setTimeout as sleep } from 'node:timers/promises';
import { HarnessError, messageOf } from '../../harness/core/errors.ts';
import { isPassing, quoteText, type SqlAddress, withSql } from '../../harness/core/sql.ts';
import type { Effect, FaultContext, FaultDriver, Undo } from '../../harness/spi/fault.ts';
import type { JsonObject } from '../../harness/spi/json.ts';
import type { Capabilities, Support } from '../../harness/spi/runtime.ts';
import { nodeOf } from './node-of.ts';
import { SQL_POWER, sessionName, sqlAddress } from './store-address.ts';

const SQL_MS = 3000;
/** A server that is just starting, or full, is asked again for so long; it stays below the time of one attempt. */
const PATIENCE_MS = 10_000;
const PAUSE_MS = 200;

/** Plain, so that a cold process can put exactly the former value back. */
interface SettingState {
  address: SqlAddress;
  name: string;
  setting: string;
  value: string;
  /** What `postgresql.auto.conf` said before; null where it said nothing. */
  before: string | null;
}

/**
 * Changes one server setting by ALTER SYSTEM and a reload, and puts the former one back. Only what this file of the
 * server said before is put back; a setting that a role, a database or the command line makes stronger is refused.
 */
export const sqlDriver: FaultDriver = {
  name: 'sql',
  accepts,
  prepare: async (effect, env, ctx) => {
    const node = await nodeOf(effect, env, ctx.signal);
    const address = sqlAddress(node, env);
    const { setting, value } = effect.args as { setting: string; value: string };
    const name = sessionName(ctx.runId, 'set');
    const before = await priorValue(address, name, setting, node.spec.id);
    const state: SettingState = { address, name, setting, value, before };
    return {
      driver: 'sql',
      owner: env.owner,
      on: { node: node.spec.id },
      state: state as unknown as JsonObject,
    };
  },
  apply: (undo, ctx) => change(undo, stateOf(undo).value, ctx),
  revert: (undo, ctx) => change(undo, stateOf(undo).before, ctx),
};

function accepts(effect: Effect, { powers }: Capabilities): Support | undefined {
  if (effect.kind !== 'store.setting') {
    return undefined;
  }
  if (powers.includes(SQL_POWER)) return { ok: true };
  const hint = 'Use a runtime that stands the stack up itself: local or containers.';
  return { ok: false, reason: 'this runtime gives no access to its stores over SQL', hint };
}

/** What stands in the file that ALTER SYSTEM writes to. Throws FAULT_UNSUPPORTED when something stronger decides. */
async function priorValue(address: SqlAddress, name: string, setting: string, node: string): Promise<string | null> {
  return withSql(address, { name, withinMs: SQL_MS }, async (client) => {
    const effective = await client.query<{ setting: string; source: string }>(
      'select setting, source from pg_settings where name = $1',
      [setting],
    );
    const { setting: now, source } = effective.rows[0] ?? { setting: '', source: 'unknown' };
    if (source !== 'default' && source !== 'configuration file') {
      const message = `${node}: ${setting} is ${now} by the ${source}, which a server-wide change does not reach`;
      throw new HarnessError('FAULT_UNSUPPORTED', message, 'Take that setting away, or leave out this fault.');
    }
    const file = await client.query<{ setting: string }>(
      "select setting from pg_file_settings where name = $1 and sourcefile like '%postgresql.auto.conf' order by seqno desc limit 1",
      [setting],
    );
    return file.rows[0]?.setting ?? null;
  });
}

async function change(undo: Undo, value: string | null, ctx: FaultContext): Promise<void> {
  const { address, name, setting } = stateOf(undo);
  const to = value === null ? `reset ${setting}` : `set ${setting} = ${quoteText(value)}`;
  const end = performance.now() + PATIENCE_MS;
  for (;;) {
    try {
      return await withSql(address, { name, withinMs: SQL_MS }, async (client) => {
        await client.query(`alter system ${to}`);
        await client.query('select pg_reload_conf()');
      });
    } catch (thrown) {
      if (!isPassing(thrown) || performance.now() > end) throw failed(undo, to, thrown);
      await sleep(PAUSE_MS, undefined, { signal: ctx.signal });
    }
  }
}

function failed(undo: Undo, to: string, thrown: unknown): HarnessError {
  const where = 'node' in undo.on ? undo.on.node : undo.on.link;
  const message = `${where} did not take "alter system ${to}": ${messageOf(thrown)}`;
  const hint = `When it runs again, do it by hand: ALTER SYSTEM ${to}; SELECT pg_reload_conf();`;
  return new HarnessError('QUERY_FAILED', message, hint, thrown);
}

function stateOf(undo: Undo): SettingState {
  return undo.state as unknown as SettingState;
}
