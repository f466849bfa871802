import { randomBytes } from 'node:crypto';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { layOut } from '../../harness/plan/topology.ts';
import type { Resource, RuntimeContext } from '../../harness/spi/runtime.ts';
import type { CallSpec, ServiceSpec, Stack } from '../../harness/spi/stack.ts';
import type { Topology } from '../../harness/spi/topology.ts';

/** The smallest stack with a service that calls a service that calls a database, in a folder of its own. */
export interface TinyStack extends Disposable {
  stack: Stack;
  topology: Topology;
  folder: string;
}

/** The program of both services. */
export const TINY_SERVICE = `
import { createServer } from 'node:http';
const { NODE_ID, HOST, PORT, BACK_URL, FACTS, MOOD } = process.env;
if (MOOD === 'dies') {
  console.error('no mood to live');
  process.exit(3);
}
createServer(async (request, response) => {
  if (request.url === '/ready') response.statusCode = MOOD === 'broken' ? 503 : 200;
  if (request.url === '/exit') process.exit(5);
  if (request.url !== '/via') return response.end(JSON.stringify({ node: NODE_ID, db: FACTS }));
  try {
    response.end(NODE_ID + ' > ' + (await (await fetch(BACK_URL + '/me')).text()));
  } catch (thrown) {
    response.writeHead(502).end(String(thrown));
  }
}).listen(Number(PORT), HOST);
`;

const FACTS = "create table fact (id int primary key, what text); insert into fact values (1, 'it rains');";

/** Environment variable with the image that has the program, where a test has built one; its child processes see it too. */
export const TINY_IMAGE = 'SEAWALL_TEST_TINY_IMAGE';

/** `mood` is that of the service behind: `broken` is never ready, `dies` ends at once. */
export function tinyStack(mood = ''): TinyStack {
  const folder = mkdtempSync(join(tmpdir(), 'seawall-tiny-'));
  writeFileSync(join(folder, 'node.mjs'), TINY_SERVICE);
  writeFileSync(join(folder, 'facts.sql'), FACTS);
  const back = serviceOf('back', 'hz-a', [{ env: 'FACTS', peer: 'db', pick: 'primary' }], { MOOD: mood });
  const front = serviceOf('front', 'edge', [{ env: 'BACK_URL', peer: 'back', pick: 'any' }], {});
  const stack: Stack = {
    file: join(folder, 'stack.yaml'),
    vars: {},
    idcs: ['hz-a', 'edge'],
    edge: ['edge'],
    entry: 'front',
    services: { front, back },
    stores: {
      db: {
        name: 'db',
        engine: 'postgres',
        primary: 'hz-a',
        standby: undefined,
        init: join(folder, 'facts.sql'),
        shadow: undefined,
        database: 'facts',
        user: 'clerk',
        password: 'p/w:1',
        image: 'postgres:17',
        supervisor: undefined,
      },
    },
    journeys: {},
    invariants: {},
    acks: {},
    marker: [],
    users: { real: { from: 1, to: 10 }, shadow: { from: 11, to: 20 } },
    existing: {},
  };
  return {
    stack,
    topology: layOut(stack),
    folder,
    [Symbol.dispose]: () => rmSync(folder, { recursive: true, force: true }),
  };
}

function serviceOf(name: string, idc: string, calls: CallSpec[], env: Record<string, string>): ServiceSpec {
  return {
    name,
    run: { local: 'node node.mjs', image: process.env[TINY_IMAGE] ?? 'none', args: [] },
    in: { [idc]: 1 },
    port: 8080,
    ready: { http: '/ready', withinMs: 5000 },
    calls,
    env,
  };
}

/** A context for one run in that folder, which remembers what was recorded. */
export function tinyContext(
  folder: string,
  signal: AbortSignal = new AbortController().signal,
): RuntimeContext & { recorded: Resource[] } {
  const runId = `tiny-${randomBytes(4).toString('hex')}`;
  const runDir = join(folder, runId);
  mkdirSync(join(runDir, 'logs'), { recursive: true });
  const recorded: Resource[] = [];
  return {
    runId,
    runDir,
    signal,
    recorded,
    record: async (resource) => {
      recorded.push(resource);
    },
    progress: () => undefined,
    proxy: 'seawall',
    seed: 7,
  };
}
