import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { delimiter, dirname, join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { ROOT } from '../support/cli.ts';
import { lookOutside, NOTHING, newSince } from '../support/outside.ts';

let folder = '';
const PATH = `${dirname(process.execPath)}${delimiter}${process.env.PATH}`;

const SERVER = `import http from 'node:http';
import pg from 'pg';
const pool = new pg.Pool({ connectionString: process.env.DATABASE_URL, max: 4 });
pool.on('error', () => {});
http.createServer(async (request, response) => {
  request.resume();
  try {
    if (request.method === 'POST') await pool.query('insert into visits (id) values ($1) on conflict do nothing', [request.url.slice(8)]);
    else await pool.query('select 1');
    response.writeHead(request.method === 'POST' ? 201 : 200).end('{}');
  } catch (error) {
    response.writeHead(503).end(error.message);
  }
}).listen(process.env.PORT, process.env.HOST);
`;

const STACK = `idcs: [here, edge]
edge: [edge]
entry: shop
services:
  shop:
    run: { local: node server.mjs }
    in: { here: 1 }
    port: 8080
    ready: { http: /ready, within: 15s }
    calls: { DATABASE_URL: db.primary }
stores:
  db: { engine: postgres, primary: here, database: visits, init: init.sql }
journeys:
  visit: [{ POST: "/visits/{marker}-{n}", expect: 201, ack: "{marker}-{n}" }]
acks:
  visit: { store: db, key: "select id from visits" }
`;

const PLAN = `plan: ten-seconds
hypothesis: A slow database costs latency and no visit.
stack: stack.yaml
seed: 1
load:
  - { scenario: visits, executor: constant-arrival-rate, rate: 20/s, for: 10s, warmUp: 1s, mix: { visit: 100% }, good: { within: 2s }, shadow: false }
steadyState: { for: 1s, good: 90% }
faults:
  - { name: slow, at: 4s, for: 1s, inject: network.latency, target: { link: { from: shop, to: db } }, with: { delay: 60ms } }
recovery: { window: 2s }
guard: none
verify:
  - availability: { of: visits, target: 90% }
  - recovery: { of: visits, rto: 5s, rpo: 0 }
`;

function inFolder(command: string, args: string[]): string {
  return execFileSync(command, args, {
    cwd: folder,
    encoding: 'utf8',
    env: { ...process.env, PATH, NO_COLOR: '1', XDG_STATE_HOME: join(folder, 'state') },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
}

/** The exit code and output of the installed command. */
function seawall(...args: string[]): { code: number; output: string } {
  try {
    return { code: 0, output: inFolder(join(folder, 'node_modules/.bin/seawall'), args) };
  } catch (thrown) {
    const { status, stdout, stderr } = thrown as { status: number; stdout: string; stderr: string };
    return { code: status, output: `${stdout}${stderr}` };
  }
}

describe('the package, installed into an empty folder', () => {
  beforeAll(() => {
    folder = mkdtempSync(join(tmpdir(), 'consumer-'));
    execFileSync('npm', ['pack', '--pack-destination', folder], {
      cwd: ROOT,
      env: { ...process.env, PATH },
      stdio: 'pipe',
    });
    const tarball = readdirSync(folder).find((name) => name.endsWith('.tgz'))!;
    writeFileSync(join(folder, 'package.json'), '{ "name": "consumer", "private": true, "type": "module" }\n');
    inFolder('npm', ['install', '--no-audit', '--no-fund', '--prefer-offline', `./${tarball}`]);
    mkdirSync(join(folder, 'state'));
    for (const [name, text] of Object.entries({ 'server.mjs': SERVER, 'stack.yaml': STACK, 'plan.yaml': PLAN })) {
      writeFileSync(join(folder, name), text);
    }
    writeFileSync(join(folder, 'init.sql'), 'create table visits (id text primary key);\n');
  });
  afterAll(() => rmSync(folder, { recursive: true, force: true }));

  it('gives the consumer the command and none of our Node', () => {
    const bin = readdirSync(join(folder, 'node_modules/.bin'));
    expect(bin).toContain('seawall');
    expect(bin).not.toContain('node');
    const manifest = readFileSync(join(folder, 'node_modules/seawall/package.json'), 'utf8');
    expect(manifest).not.toMatch(/"node-(linux|darwin|bin)/);
    expect(JSON.parse(manifest)).toMatchObject({ engines: { node: '>=24' }, license: 'Apache-2.0' });
  });

  it('carries JavaScript and types, and no TypeScript to strip', () => {
    const files = readdirSync(join(folder, 'node_modules/seawall'), { recursive: true, encoding: 'utf8' });
    expect(files.filter((name) => /(?<!\.d)\.ts$/.test(name) || /\.test\./.test(name))).toEqual([]);
    expect(files).toContain('dist/harness/index.d.ts');
    expect(files).toContain('dist/fixtures/stacks/shop.yaml');
  });

  it('validates a plan, and a wrong one with line and column', () => {
    expect(seawall('validate', 'plan.yaml')).toMatchObject({ code: 0 });
    writeFileSync(join(folder, 'wrong.yaml'), PLAN.replace('hypothesis', 'hypotesis'));
    const wrong = seawall('validate', 'wrong.yaml');
    expect(wrong.code).toBe(3);
    expect(wrong.output).toMatch(/wrong\.yaml:2:1/);
    expect(wrong.output).toContain('did you mean "hypothesis"');
  });

  it('explains it without starting anything', () => {
    const before = lookOutside();
    const { code, output } = seawall('explain', 'plan.yaml');
    expect(code).toBe(0);
    expect(output).toContain('network.latency');
    expect(newSince(before)).toEqual(NOTHING);
  });

  it('runs it against a foreign stack, heals, reports, and leaves nothing', () => {
    const before = lookOutside();
    const { code, output } = seawall('run', 'plan.yaml', '--out', 'out');
    const report = JSON.parse(readFileSync(join(folder, 'out/report.json'), 'utf8')) as {
      exitCode: number;
      findings: { check: string; verdict: string }[];
    };
    expect(report.exitCode, output).toBe(code);
    expect([0, 1, 2], output).toContain(code);
    expect(output).toContain('healed');
    expect(report.findings.find((finding) => finding.check === 'recovery')).toBeDefined();
    expect(readdirSync(join(folder, 'out'))).toEqual(
      expect.arrayContaining(['report.html', 'report.xml', 'journal.ndjson']),
    );
    expect(newSince(before)).toEqual(NOTHING);
  });

  it('judges the run again', () => {
    const again = seawall('report', 'out', '--out', 'again', '--reporter', 'json');
    const [first, second] = ['out', 'again'].map((name) => readFileSync(join(folder, name, 'report.json'), 'utf8'));
    expect(second).toBe(first);
    expect(again.code).toBe((JSON.parse(first!) as { exitCode: number }).exitCode);
  });
});
