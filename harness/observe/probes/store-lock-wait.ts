import { messageOf } from '../../core/errors.ts';
import { isPassing, type SqlAddress, sqlState } from '../../core/sql.ts';
import type { Measurement, Probe } from '../../spi/fault.ts';
import type { Json, JsonObject } from '../../spi/json.ts';
import { pollUntil } from '../poll.ts';
import { ask, databaseOf, factsOf, type StoreFacts, sessionsNamed, unfit } from '../store-targets.ts';

const SQL_MS = 3000;
/** A statement that waits for so long on a lock would wait on. */
const LOCK_WAIT_MS = 400;
const WITHIN_MS = 4000;
const LOCK_NOT_AVAILABLE = '55P03';

interface Request {
  address: SqlAddress;
  /** One for each table. */
  statements: string[];
  waits: boolean;
  withinMs: number;
  /** What sessions that hold locks for the fault are called. */
  session: string;
}

/**
 * An ordinary statement on each table, in a session of its own. `args.waits` true: each waits on a lock; false: none
 * does, and no session of the fault's is left on the server.
 */
export const storeLockWait: Probe = {
  kind: 'store.lock-wait',
  resolve: async (expectation, env, undo) => {
    const { waits = true, withinMs = WITHIN_MS } = expectation.args;
    const { rows = null } = expectation.args as { rows?: string | null };
    const { session } = factsOf(undo);
    const address = databaseOf(expectation, env, undo);
    const tables = await tablesOf(address, expectation.args, factsOf(undo));
    const statements = tables.map((table) =>
      rows === null
        ? `select 1 from ${table} limit 1`
        : `select count(*) from (select 1 from ${table} where ${rows} for update) as locked`,
    );
    const request: Request = {
      address,
      statements,
      waits: waits === true,
      withinMs: Number(withinMs),
      session,
    };
    if (request.waits) await mustBeFree(request);
    return request as unknown as Json;
  },
  measure: (request, signal) => {
    const asked = request as unknown as Request;
    return pollUntil(asked.withinMs, signal, () => look(asked));
  },
};

/**
 * The tables asked for by name, looked up by ourselves; else as many of the busiest as were asked for, which only the
 * driver can know: they may be others by now.
 */
async function tablesOf(address: SqlAddress, args: JsonObject, facts: StoreFacts): Promise<string[]> {
  const { tables = [], busiest = 1 } = args as { tables?: string[]; busiest?: number };
  return ask(address, SQL_MS, async (client) => {
    const { rows } = await client.query<{ name: string; names: string[] }>(
      `select format('%I.%I', schemaname, relname) as name,
         array[relname::text, schemaname || '.' || relname, format('%I.%I', schemaname, relname)] as names
         from pg_stat_user_tables order by schemaname = 'public' desc, name`,
    );
    if (tables.length > 0) return tables.map((table) => rows.find(({ names }) => names.includes(table))?.name ?? table);
    const chosen = facts.tables;
    const wanted = Math.min(busiest, rows.length);
    if (chosen.length === wanted) return chosen;
    throw unfit(`${chosen.length} tables were chosen where ${wanted} were asked for`);
  });
}

async function mustBeFree({ address, statements }: Request): Promise<void> {
  for (const statement of statements) {
    const took = await waitOf(address, statement);
    if (took === undefined) throw unfit(`"${statement}" waited on a lock already`);
  }
}

async function look({ address, statements, waits, session }: Request): Promise<Measurement> {
  try {
    const took = await Promise.all(statements.map((statement) => waitOf(address, statement)));
    const waiting = took.filter((ms) => ms === undefined).length;
    const left = waits ? 0 : await sessionsNamed(address, session, SQL_MS);
    const free = took.flatMap((ms, index) =>
      ms === undefined ? [] : [`"${statements[index]}" passed in ${Math.round(ms)} ms`],
    );
    const holds = waits ? waiting === statements.length && waiting > 0 : waiting === 0 && left === 0;
    const said = [
      `${waiting} of ${statements.length} statements waited ${LOCK_WAIT_MS} ms on a lock`,
      ...(waits ? free : [`${left} sessions of the fault are left`]),
    ];
    return { holds, value: waiting, unit: 'statements that wait', because: said.join('; ') };
  } catch (thrown) {
    if (!isPassing(thrown)) throw thrown;
    return { holds: false, value: 'no answer', unit: '', because: `the database did not answer: ${messageOf(thrown)}` };
  }
}

/** How long the statement took in ms; nothing when it waited on a lock. */
async function waitOf(address: SqlAddress, statement: string): Promise<number | undefined> {
  const settings = { lock_timeout: String(LOCK_WAIT_MS) };
  return ask(
    address,
    SQL_MS,
    async (client) => {
      const begunMs = performance.now();
      try {
        await client.query('begin');
        await client.query(statement);
        return performance.now() - begunMs;
      } catch (thrown) {
        if (sqlState(thrown) === LOCK_NOT_AVAILABLE) return undefined;
        throw thrown;
      }
    },
    settings,
  );
}
