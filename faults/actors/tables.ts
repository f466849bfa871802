import { HarnessError } from '../../harness/core/errors.ts';
import { type SqlAddress, withSql } from '../../harness/core/sql.ts';

const SQL_MS = 3000;

const ALL = `
  select format('%I.%I', schemaname, relname) as name, relname, schemaname,
         n_tup_ins + n_tup_upd + n_tup_del as written, coalesce(seq_scan, 0) + coalesce(idx_scan, 0) as read
    from pg_stat_user_tables
   order by written desc, read desc, name`;

interface Row {
  name: string;
  relname: string;
  schemaname: string;
}

/**
 * Names of tables, quoted and with their schema: those asked for, else the `busiest` most written to. Throws
 * FAULT_TARGET_EMPTY when one is not there, naming those that are.
 */
export async function tablesOf(
  address: SqlAddress,
  sessionName: string,
  asked: readonly string[],
  busiest: number,
): Promise<string[]> {
  const { rows } = await withSql(address, { name: sessionName, withinMs: SQL_MS }, (client) => client.query<Row>(ALL));
  const known = rows.map(({ name }) => name).join(', ');
  const hint = `${address.database} has ${known === '' ? 'no tables at all' : known}.`;
  if (asked.length === 0) {
    if (rows.length > 0) return rows.slice(0, busiest).map(({ name }) => name);
    throw new HarnessError('FAULT_TARGET_EMPTY', `${address.database} has no table to lock`, hint);
  }
  return asked.map((wanted) => {
    const found = rows.filter((row) => [row.relname, `${row.schemaname}.${row.relname}`, row.name].includes(wanted));
    // The same name in two schemas: the ordinary one, unless the other was spelled out.
    const one = found.find(({ schemaname }) => schemaname === 'public') ?? found[0];
    if (one !== undefined) return one.name;
    throw new HarnessError('FAULT_TARGET_EMPTY', `${address.database} has no table ${wanted}`, hint);
  });
}
