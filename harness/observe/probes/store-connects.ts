import { messageOf } from '../../core/errors.ts';
import { type SqlAddress, sqlState } from '../../core/sql.ts';
import type { Measurement, Probe } from '../../spi/fault.ts';
import type { Json } from '../../spi/json.ts';
import { pollUntil } from '../poll.ts';
import { ask, databaseOf, factsOf, sessionsNamed, unfit } from '../store-targets.ts';

const SQL_MS = 2000;
const WITHIN_MS = 4500;
/** One refusal may be the last of a crowd: so many in a row are a full server. */
const IN_A_ROW = 3;
const TOO_MANY_CONNECTIONS = '53300';

interface Request {
  address: SqlAddress;
  accepted: boolean;
  withinMs: number;
  /** What the connections that the fault holds are called. */
  session: string;
}

/**
 * Fresh connections of the store's own user. `args.accepted` false: each is refused, for there are too many (53300);
 * true: each is accepted, and none that the fault held is left.
 */
export const storeConnects: Probe = {
  kind: 'store.connects',
  resolve: async (expectation, env, undo) => {
    const { accepted = true, withinMs = WITHIN_MS } = expectation.args;
    const { session } = factsOf(undo);
    const address = databaseOf(expectation, env, undo);
    const request: Request = { address, accepted: accepted === true, withinMs: Number(withinMs), session };
    if (!request.accepted) {
      const refused = await connect(address);
      if (refused !== undefined) throw unfit(`a fresh connection got ${refused.state}: ${refused.message}`);
    }
    return request as unknown as Json;
  },
  measure: (request, signal) => {
    const asked = request as unknown as Request;
    return pollUntil(asked.withinMs, signal, () => look(asked));
  },
};

async function look({ address, accepted, session }: Request): Promise<Measurement> {
  const seen: (Refusal | undefined)[] = [];
  while (seen.length < IN_A_ROW) seen.push(await connect(address));
  const refused = seen.filter((one) => one?.state === TOO_MANY_CONNECTIONS).length;
  const other = seen.find((one) => one !== undefined);
  const good = seen.filter((one) => one === undefined).length;
  const left = accepted && session !== '' && good === IN_A_ROW ? await sessionsNamed(address, session, SQL_MS) : 0;
  const said = [
    `of ${IN_A_ROW} fresh connections ${good} were accepted and ${refused} refused with ${TOO_MANY_CONNECTIONS}`,
    ...(other === undefined ? [] : [other.message]),
    ...(left === 0 ? [] : [`${left} connections of the fault are left`]),
  ];
  const holds = accepted ? good === IN_A_ROW && left === 0 : refused === IN_A_ROW;
  return { holds, value: refused, unit: `of ${IN_A_ROW} refused`, because: said.join('; ') };
}

interface Refusal {
  state: string;
  message: string;
}

/** Nothing when the connection was accepted and answered. */
async function connect(address: SqlAddress): Promise<Refusal | undefined> {
  try {
    await ask(address, SQL_MS, (client) => client.query('select 1'));
    return undefined;
  } catch (thrown) {
    return { state: sqlState(thrown) ?? 'no answer', message: messageOf(thrown) };
  }
}
