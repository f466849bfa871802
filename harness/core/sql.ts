import { Socket } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import pg from 'pg';

/** A database as it is reached straight, past every proxy. */
export interface SqlAddress {
  host: string;
  port: number;
  user: string;
  password: string;
  database: string;
}

export interface SqlOptions {
  /** What the server calls the session by, so that it is known for ours. */
  name: string;
  /** For connecting, and for each statement unless `statementMs` says otherwise. */
  withinMs: number;
  statementMs?: number;
  /** Settings of the session, e.g. `{ statement_timeout: '5000' }`; they hold from its first moment. */
  settings?: Readonly<Record<string, string>>;
}

/** A session that is open. `close` cuts it whatever state the server is in; the server then takes its work back. */
export interface SqlSession {
  client: pg.Client;
  /** Resolves with the reason when the session ends, by whomever. */
  ended: Promise<string>;
  close(): Promise<void>;
}

/** How long a server may take to say goodbye before the connection is cut. */
const GOODBYE_MS = 200;
/** What a server that cannot serve yet, or no longer, says or does: worth asking again. */
const PASSING = new Set([
  'ECONNREFUSED',
  'ECONNRESET',
  'EPIPE',
  'ETIMEDOUT',
  '53300', // too many clients
  '57P01', // it shuts down
  '57P02', // another of its processes crashed
  '57P03', // it starts up
]);

/** Opens a session; rejects when the server does not take it within the time. */
export async function openSql(address: SqlAddress, options: SqlOptions): Promise<SqlSession> {
  const socket = new Socket();
  const settings = Object.entries(options.settings ?? {}).map(([name, value]) => `-c ${name}=${value}`);
  const client = new pg.Client({
    ...address,
    ssl: false,
    application_name: options.name,
    connectionTimeoutMillis: options.withinMs,
    query_timeout: options.statementMs ?? options.withinMs,
    options: settings.join(' '),
    stream: () => socket,
  });
  const { promise: ended, resolve } = Promise.withResolvers<string>();
  client.on('error', (error) => resolve(error.message));
  client.on('end', () => resolve('the connection ended'));
  const close = async (): Promise<void> => {
    // A frozen server never answers the goodbye, and a broken connection cannot say it: both are cut.
    await Promise.race([client.end().catch(() => undefined), sleep(GOODBYE_MS)]);
    socket.destroy();
  };
  try {
    await client.connect();
    return { client, ended, close };
  } catch (thrown) {
    socket.destroy();
    throw thrown;
  }
}

/** Runs `work` in a session of its own and closes it, whatever state the server is in. */
export async function withSql<T>(
  address: SqlAddress,
  options: SqlOptions,
  work: (client: pg.Client) => Promise<T>,
): Promise<T> {
  const session = await openSql(address, options);
  try {
    return await work(session.client);
  } finally {
    await session.close();
  }
}

/** The five letters of a server's refusal, or the system's code where the connection itself failed. */
export function sqlState(thrown: unknown): string | undefined {
  const code = (thrown as { code?: unknown } | undefined)?.code;
  return typeof code === 'string' ? code : undefined;
}

/** Whether a server that starts, ends, or is full would explain this: it may be different in a moment. */
export function isPassing(thrown: unknown): boolean {
  return PASSING.has(sqlState(thrown) ?? '') || /timeout|terminated unexpectedly/i.test(String(thrown));
}

export const quoteText = (text: string): string => pg.escapeLiteral(text);
