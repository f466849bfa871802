import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import pg from 'pg';
import { listProcesses, RUN_FLAG } from '../../harness/core/process-identity.ts';
import type { KeptStack } from '../../harness/run/kept-stack.ts';
import { runCommand } from '../run-command.ts';

const ASK_MS = 3000;
const COMMAND_MS = 10_000;

/** What can be seen of a kept stack and of what others left on it, without a word from the tool. Compared as JSON. */
export interface Seen {
  /** Processes of runs other than the stack's own; stopped ones of the stack; odd limits of open files. */
  processes: string[];
  /** Link → toxics on it, and whether it is up. */
  proxies: string[];
  /** Sessions of ours in the database, its settings, and whether its tables can be had. */
  database: string[];
  /** Paused or dead containers, their limits, and packet rules in their networks. */
  containers: string[];
  /** What the entry says to a user. */
  users: string[];
}

/**
 * The stack's `stack.json` tells where everything is; what state it is in is asked of the thing itself. `standing` are the
 * ids of other stacks that are up.
 */
export async function lookAt(runDir: string, standing: readonly string[]): Promise<Seen> {
  const kept = JSON.parse(readFileSync(join(runDir, 'stack.json'), 'utf8')) as KeptStack;
  return {
    processes: processesOf(kept, standing),
    proxies: await proxiesOf(kept),
    database: await databaseOf(kept),
    containers: kept.runtime === 'containers' ? await containersOf(kept) : [],
    users: [await askEntry(kept)],
  };
}

function processesOf(kept: KeptStack, standing: readonly string[]): string[] {
  const rows = listProcesses().filter(({ command }) => command.includes(`${RUN_FLAG}=`));
  const own = rows.filter(({ command }) => command.includes(`${RUN_FLAG}=${kept.stackId}`));
  const ofStacks = [kept.stackId, ...standing].map((stackId) => `${RUN_FLAG}=${stackId}`);
  const left = rows.filter(({ command }) => !ofStacks.some((flag) => command.includes(flag)));
  const foreign = left.map(({ command }) => `left: ${command.slice(0, 160)}`);
  const folder = `/seawall-${kept.stackId}/`;
  const stack = listProcesses().filter((row) => own.includes(row) || row.command.includes(folder));
  const odd = stack.flatMap(({ pid, command }) => {
    const stat = read(`/proc/${pid}/stat`);
    const state = stat.slice(stat.lastIndexOf(')') + 2, stat.lastIndexOf(')') + 3);
    const files = /^Max open files\s+(\d+)/m.exec(read(`/proc/${pid}/limits`))?.[1];
    const what = command.slice(0, 80).replaceAll(/\d+/g, 'N');
    return [
      ...(state === 'T' ? [`stopped: ${what}`] : []),
      ...(Number(files) < 1000 ? [`${files} files: ${what}`] : []),
    ];
  });
  return [...foreign, ...odd].toSorted();
}

function read(path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    // It ended meanwhile.
    return '';
  }
}

async function proxiesOf(kept: KeptStack): Promise<string[]> {
  const apis = new Set(linksOf(kept));
  const seen = await Promise.all(
    [...apis].map(async (api) => {
      try {
        const answer = await fetch(`${api}/proxies`, { signal: AbortSignal.timeout(ASK_MS) });
        const proxies = Object.values((await answer.json()) as Record<string, ProxyRow>);
        return proxies.map(
          ({ name, enabled, toxics }) =>
            `${name} ${enabled ? 'up' : 'DOWN'} ${toxics.map((toxic) => toxic.name).join(',')}`,
        );
      } catch (thrown) {
        return [`proxy ${api}: ${String(thrown)}`];
      }
    }),
  );
  return seen.flat().toSorted();
}

interface ProxyRow {
  name: string;
  enabled: boolean;
  toxics: { name: string }[];
}

/** Addresses of the fault proxies' APIs, from the runtime's own notes. */
function linksOf({ runtime, state }: KeptStack): string[] {
  if (runtime === 'local') return (state.proxies as [string, number][]).map(([, port]) => `http://127.0.0.1:${port}`);
  const places = state.proxies as unknown as [string, { ip: string; published: [number, number][] }][];
  return places.map(([, { ip, published }]) => {
    const here = published.find(([port]) => port === 8474)?.[1];
    return here === undefined ? `http://${ip}:8474` : `http://127.0.0.1:${here}`;
  });
}

async function databaseOf(kept: KeptStack): Promise<string[]> {
  const [store] = Object.values(kept.stack.stores);
  const node = kept.topology.nodes.find(({ kind }) => kind === 'store');
  if (store === undefined || node === undefined) return [];
  const { user, password, database } = store;
  const client = new pg.Client({
    ...addressOf(kept, node.id, 'sql'),
    user,
    password,
    database,
    connectionTimeoutMillis: ASK_MS,
  });
  client.on('error', () => undefined);
  try {
    await client.connect();
    await client.query(`set statement_timeout = ${ASK_MS}`);
    const sessions = await client.query<{ what: string }>(
      `select application_name || ' ' || count(*) what from pg_stat_activity where application_name like 'seawall%' group by application_name`,
    );
    const settings = await client.query<{ what: string }>(
      `select name || '=' || setting what from pg_file_settings where sourcefile like '%auto.conf'`,
    );
    const tables = await client.query<{ tablename: string }>(
      `select tablename from pg_tables where schemaname not in ('pg_catalog', 'information_schema') order by 1`,
    );
    await client.query('begin');
    for (const { tablename } of tables.rows) await client.query(`lock table "${tablename}" in access exclusive mode`);
    await client.query('rollback');
    return [...sessions.rows, ...settings.rows].map(({ what }) => what).concat(tables.rows.map((row) => row.tablename));
  } catch (thrown) {
    return [`database: ${String(thrown)}`];
  } finally {
    await client.end();
  }
}

function addressOf(kept: KeptStack, nodeId: string, port: 'sql' | 'http'): { host: string; port: number } {
  if (kept.runtime === 'local') {
    const ports = new Map(kept.state.nodes as unknown as [string, Record<string, number>][]).get(nodeId)!;
    return { host: '127.0.0.1', port: ports[port]! };
  }
  const places = new Map(
    kept.state.nodes as unknown as [string, { ip: string; ports: number[]; published: [number, number][] }][],
  );
  const { ip, ports, published } = places.get(nodeId)!;
  const [inside] = ports;
  const here = published.find(([one]) => one === inside)?.[1];
  return here === undefined ? { host: ip, port: inside! } : { host: '127.0.0.1', port: here };
}

async function containersOf(kept: KeptStack): Promise<string[]> {
  const containers = kept.state.containers as unknown as [string, string][];
  const format =
    '{{.State.Status}} {{.State.Pid}} {{.HostConfig.NanoCpus}} {{.HostConfig.CpuQuota}} {{.HostConfig.Memory}}';
  const rows = await Promise.all(
    containers.map(async ([name, id]) => {
      const inspected = await runCommand('docker', ['inspect', '--format', format, id], { timeoutMs: COMMAND_MS });
      const [status, pid, ...limits] = inspected.stdout.trim().split(' ');
      const rules = await runCommand('nsenter', ['-t', pid!, '-n', 'nft', 'list', 'tables'], { timeoutMs: COMMAND_MS });
      const mine = rules.stdout.split('\n').filter((line) => line.includes('seawall'));
      return [`${name} ${status} ${limits.join(' ')}`, ...mine.map((rule) => `${name} ${rule}`)];
    }),
  );
  return rows.flat().toSorted();
}

/** A node that was started again may take a moment; what it says then counts. */
async function askEntry(kept: KeptStack): Promise<string> {
  const entry = kept.topology.nodes.find(({ of }) => of === kept.stack.entry)!;
  const { host, port } = addressOf(kept, entry.id, 'http');
  for (let attempt = 0; ; attempt += 1) {
    try {
      const answer = await fetch(`http://${host}:${port}/hello/1`, { signal: AbortSignal.timeout(ASK_MS) });
      if (answer.status === 200 || attempt >= 20) return `${answer.status}`;
    } catch (thrown) {
      if (attempt >= 20) return String(thrown);
    }
    await new Promise((resolve) => setTimeout(resolve, 250));
  }
}
