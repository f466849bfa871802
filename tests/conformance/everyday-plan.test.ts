import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { type CliResult, cli, readReport } from '../support/cli.ts';

let looks: { user: string; seller: string }[] = [];
let carts = 0;
let paid: string[] = [];
let server: Server;
let base = '';
let folder = '';

/** Who looked, without the one of the preflight. */
const usersOfLoad = (): string[] => looks.slice(1).map(({ user }) => user);

/** A shop of one process: looking gives a token as HTML and a session as a cookie, a cart wants both. */
function answer(method: string, url: URL, cookie: string | undefined): { status: number; body: string } {
  const [, what, id] = url.pathname.split('/');
  if (what === 'look') {
    looks.push({ user: url.searchParams.get('user')!, seller: id! });
    return { status: 200, body: `<form><input name="csrf" value="t-${url.searchParams.get('user')}"></form>` };
  }
  if (what === 'carts' && method === 'POST') {
    const whole = url.searchParams.get('csrf') === `t-${id}` && cookie === `sid=s-${id}`;
    if (whole) carts++;
    return { status: whole ? 201 : 403, body: JSON.stringify({ cart: { id: `c-${id}`, state: 'open' } }) };
  }
  // Whether it is there at all is asked at its root.
  if (what === 'paid') paid.push(id!);
  return { status: 200, body: JSON.stringify({ state: 'paid' }) };
}

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'seawall-everyday-'));
  server = createServer((request, response) => {
    const url = new URL(request.url!, 'http://shop');
    const { status, body } = answer(request.method!, url, request.headers.cookie);
    response.writeHead(status, { 'set-cookie': `sid=s-${url.searchParams.get('user')}; Path=/` });
    response.end(body);
    request.resume();
  });
  await new Promise<void>((resolved) => server.listen(0, '127.0.0.1', resolved));
  base = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const rows = Array.from({ length: 1000 }, (_, row) => `u${row + 1},"name, ${row + 1}"\r\n`);
  writeFileSync(join(folder, 'users.csv'), `id,name\r\n${rows.join('')}`);
});
afterAll(async () => {
  server.closeAllConnections();
  await new Promise((resolved) => server.close(resolved));
  rmSync(folder, { recursive: true, force: true });
});
beforeEach(() => {
  looks = [];
  carts = 0;
  paid = [];
});

const planOf = (traffic: string, users = 'csv: users.csv') => `
plan: everyday
hypothesis: The shop takes its usual visitors.
stack:
  existing: { shop: "${base}" }
  journeys:
    shop:
      - { name: look, GET: "/look/{sellers.id}?user={users.id}", take: { csrf: { regex: 'value="([^"]+)"' }, sid: { cookie: sid } } }
      - { name: cart, POST: "/carts/{users.id}?csrf={csrf}", headers: { cookie: "sid={sid}" }, expect: 201, take: { cart: /cart/id }, check: [{ json: /cart/state, equals: open }], think: { from: 10ms, to: 50ms }, continue: 30% }
      - { name: pay, PUT: "/paid/{cart}", check: [{ json: /state, matches: "^paid$" }], continue: 50% }
seed: 11
load:
  - scenario: visits
    ${traffic}
    warmUp: 500ms
    good: { within: 1s }
    feeds:
      users: { ${users}, order: unique }
      sellers: { generate: { id: "s{row}" }, rows: 100, skew: { whales: { column: id, times: { s7: 100 } } } }
steadyState: { for: 1s, good: 90% }
guard: none
verify:
  - availability: { of: visits, target: 99% }
  - availability: { of: visits, target: 90%, over: 2s }
  - latency: { of: visits, p90: 1s, over: 2s }
  - traffic: { of: visits, conversion: 10% }
`;

async function run(name: string, plan: string): Promise<CliResult & { out: string }> {
  const file = join(folder, `${name}.yaml`);
  writeFileSync(file, plan);
  const out = join(folder, name);
  const result = await cli(['run', file, '--out', out], { env: { XDG_STATE_HOME: join(folder, 'state') } });
  return { ...result, out };
}

describe('an everyday plan', () => {
  it('gives each start its own row, draws sellers by their weight, and loses the share of users that it declares', async () => {
    const { code, stdout, stderr, out } = await run('feeds', planOf('rate: 100/s\n    for: 5s\n    threads: 2'));
    expect(code, stdout + stderr).toBe(0);
    const users = usersOfLoad();
    expect(users.length).toBeGreaterThanOrEqual(620);
    // Once each: neither warm-up and load nor the two threads share a row.
    expect(new Set(users).size).toBe(users.length);
    const whale = looks.filter(({ seller }) => seller === 's7').length / looks.length;
    // 100 of 199 equal parts; a standard deviation is 0.02.
    expect(Math.abs(whale - 100 / 199)).toBeLessThan(0.08);
    expect(carts / looks.length).toBeGreaterThan(0.22);
    expect(carts / looks.length).toBeLessThan(0.38);
    expect(paid.every((cart) => cart.startsWith('c-u'))).toBe(true);
    expect(Math.abs(paid.length / carts - 0.5)).toBeLessThan(0.2);
    const { findings } = readReport(out);
    const judged = findings.map(
      ({ check, scope, verdict, advisory }) => `${verdict} ${check} ${scope}${advisory ? ' (aside)' : ''}`,
    );
    for (const line of [
      'pass availability visits',
      'pass availability visits, in each 2 s',
      'pass latency visits p90, in each 2 s',
      'pass traffic visits rate',
      'pass traffic visits/shop conversion',
    ]) {
      expect(judged).toContain(line);
    }
  });

  it('gives the same rows to the same starts for the same seed', async () => {
    const plan = planOf('rate: 60/s\n    for: 2s').replace('  - traffic: { of: visits, conversion: 10% }\n', '');
    await run('seed-once', plan);
    const once = new Map(looks.map(({ user, seller }) => [user, seller]));
    looks = [];
    await run('seed-twice', plan);
    expect(new Set(looks.map(({ user }) => user)).size).toBe(once.size);
    expect(looks.filter(({ user, seller }) => once.get(user) !== seller)).toEqual([]);
  });

  it('of users who wait ends where its rows do, and says so', async () => {
    const plan = planOf('vus: 4\n    for: 5s', 'generate: { id: "u{row}" }, rows: 60').replace(
      'warmUp: 500ms',
      'warmUp: 0s',
    );
    const { code, stdout, out } = await run('dry', plan);
    expect(code, stdout).not.toBe(0);
    const users = usersOfLoad();
    expect(new Set(users).size).toBe(users.length);
    expect(users.length).toBeLessThanOrEqual(60);
    expect(
      readReport(out)
        .findings.map(({ because }) => because)
        .join('\n'),
    ).toMatch(/feed .*no more/);
  });
});
