import pg from 'pg';
import { HarnessError, messageOf } from '../../core/errors.ts';
import type { Measurement, Probe } from '../../spi/fault.ts';
import type { Json } from '../../spi/json.ts';
import type { Address } from '../../spi/runtime.ts';
import { pollUntil } from '../poll.ts';

const QUERY_MS = 1000;
const WITHIN_MS = 40_000;

interface Member extends Address {
  node: string;
  user: string;
  password: string;
  database: string;
}

interface Request {
  store: string;
  members: Member[];
  withinMs: number;
}

/** The store has one primary, and a synchronous standby streams from it; asked until `args.withinMs` are over. */
export const storeRedundant: Probe = {
  kind: 'store.redundant',
  resolve: async ({ on, args }, env) => {
    const name = 'store' in on ? on.store : undefined;
    const members = [...env.nodes.values()].flatMap((node): Member[] => {
      if (node.spec.of !== name || node.store?.access === undefined) return [];
      return [{ node: node.spec.id, ...env.endpoint(node.spec.id, 'sql', 'tool'), ...node.store.access }];
    });
    if (name === undefined || members.length === 0) {
      const hint = 'The runtime must give access to the members of a store.';
      throw new HarnessError('PROBE_FAILED', `store.redundant: ${JSON.stringify(on)} has no members to ask`, hint);
    }
    const request: Request = { store: name, members, withinMs: Number(args.withinMs ?? WITHIN_MS) };
    return request as unknown as Json;
  },
  measure: (request, signal) => {
    const { store, members, withinMs } = request as unknown as Request;
    return pollUntil(withinMs, signal, () => look(store, members));
  },
};

async function look(store: string, members: Member[]): Promise<Measurement> {
  const seen = await Promise.all(members.map(ask));
  const primaries = seen.filter(({ role }) => role === 'primary');
  const streaming = primaries.length === 1 ? primaries[0]!.streaming : 0;
  const list = seen.map(({ node, role }) => `${node} is ${role}`).join(', ');
  const because = `${store}: ${list}; ${streaming} synchronous standby streaming`;
  return { holds: streaming > 0, value: streaming, unit: 'synchronous standbys', because };
}

interface Seen {
  node: string;
  /** `primary`, `standby`, or why it could not be asked. */
  role: string;
  streaming: number;
}

const QUESTION = `select pg_is_in_recovery() as standby,
  (select count(*) from pg_stat_replication where sync_state in ('sync', 'quorum') and state = 'streaming')::int as streaming`;

async function ask({ node, ...access }: Member): Promise<Seen> {
  const client = new pg.Client({ ...access, connectionTimeoutMillis: QUERY_MS, query_timeout: QUERY_MS });
  // A server that dies while it is asked is told by the query's own failure.
  client.on('error', () => undefined);
  try {
    await client.connect();
    const answer = await client.query<{ standby: boolean; streaming: number }>(QUESTION);
    const row = answer.rows[0]!;
    return { node, role: row.standby ? 'standby' : 'primary', streaming: row.standby ? 0 : row.streaming };
  } catch (thrown) {
    return { node, role: `not answering (${messageOf(thrown)})`, streaming: 0 };
  } finally {
    await Promise.race([client.end().catch(() => undefined), new Promise((resolve) => setTimeout(resolve, 200))]);
  }
}
