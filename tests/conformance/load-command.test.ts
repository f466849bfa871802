import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { createServer, type IncomingMessage, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { validatePlan } from '../../harness/plan/validate.ts';
import { CATALOGUE } from '../../harness/registry.ts';
import { type CliResult, cli, readJournal, readReport } from '../support/cli.ts';

interface Seen {
  method: string;
  url: string;
  headers: IncomingMessage['headers'];
  body: string;
}

let seen: Seen[] = [];
let status = 200;
let server: Server;
let base = '';
let folder = '';

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'seawall-load-'));
  server = createServer((request, response) => {
    let body = '';
    request.on('data', (chunk: Buffer) => {
      body += chunk.toString();
    });
    request.on('end', () => {
      seen.push({ method: request.method!, url: request.url!, headers: request.headers, body });
      response.writeHead(status, { 'content-type': 'application/json', 'set-cookie': `sid=s${seen.length}; Path=/` });
      response.end(JSON.stringify({ id: seen.length, state: 'open' }));
    });
  });
  await new Promise<void>((resolved) => server.listen(0, '127.0.0.1', resolved));
  base = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
});
afterAll(async () => {
  server.closeAllConnections();
  await new Promise((resolved) => server.close(resolved));
  rmSync(folder, { recursive: true, force: true });
});
beforeEach(() => {
  seen = [];
  status = 200;
});

function run(name: string, args: string[]): Promise<CliResult & { out: string }> {
  const out = join(folder, name);
  const env = { XDG_STATE_HOME: join(folder, 'state'), TOKEN: 'hush-hush-token' };
  return cli([...args, '--out', out], { env, cwd: folder }).then((result) => ({ ...result, out }));
}

const SHORT = ['--for', '3s', '--warm-up', '500ms', '--good', '1s'];
const AVAILABLE = ['--availability', '95%'];

describe('seawall load', () => {
  it('loads a URL as it is written, judges it, reports it, and leaves a plan that runs again', async () => {
    const header = `authorization: Bearer \${env:TOKEN}`;
    const url = `${base}/shop/items?page=2&sort=up`;
    const first = await run('first', [
      'load',
      url,
      '--rate',
      '40/s',
      ...SHORT,
      ...AVAILABLE,
      '--p90',
      '1s',
      '--header',
      header,
    ]);
    expect(first.code, first.stdout + first.stderr).toBe(0);
    const asked = seen.filter(({ headers }) => headers.authorization !== undefined);
    // 120 from t = 0, the warm-up and the canary before it.
    expect(asked.length).toBeGreaterThanOrEqual(150);
    expect(new Set(asked.map(({ method, url: path }) => `${method} ${path}`))).toEqual(
      new Set(['GET /shop/items?page=2&sort=up']),
    );
    expect(asked[0]!.headers.authorization).toBe('Bearer hush-hush-token');
    const report = readReport(first.out);
    expect(report).toMatchObject({ verdict: 'pass', exitCode: 0 });
    expect(report.findings.find(({ check }) => check === 'availability')!.sampleCount).toBe(120);
    expect(report.findings.find(({ check, scope }) => check === 'traffic' && scope === 'load rate')).toMatchObject({
      verdict: 'pass',
      advisory: true,
    });
    for (const file of ['report.html', 'report.xml', 'report.md']) expect(existsSync(join(first.out, file))).toBe(true);
    for (const file of readdirSync(first.out).filter((name) => !name.endsWith('logs'))) {
      expect(readFileSync(join(first.out, file), 'utf8')).not.toContain('hush-hush');
    }
    process.env.TOKEN = 'hush-hush-token';
    const again = validatePlan(join(first.out, 'plan.yaml'), {}, CATALOGUE);
    delete process.env.TOKEN;
    const ran = readJournal(first.out)[0];
    if ('issues' in again || ran?.type !== 'run.opened') throw new Error('the plan of the run is not valid');
    const { segments, mix, good } = again.plan.load[0]!;
    expect(ran.timeline.plan.load[0]).toMatchObject({ segments, mix, good: { withinMs: good.withinMs } });
    expect(again.plan.verify.map(({ check }) => check)).toEqual(['availability', 'latency']);
  });

  it('fails a server that answers with what is not good', async () => {
    status = 500;
    const { code, stdout, out } = await run('broken', [
      'load',
      base,
      '--vus',
      '2',
      ...SHORT,
      '--reporter',
      'json,junit',
    ]);
    expect(code, stdout).toBe(1);
    expect(readReport(out).verdict).toBe('fail');
    expect(existsSync(join(out, 'report.html'))).toBe(false);
    expect(readFileSync(join(out, 'report.xml'), 'utf8')).toContain('<failure');
  });

  it('sends a body with its method, and takes other statuses for good', async () => {
    status = 201;
    const body = '{"user":"{user}","note":"{n}"}';
    const { code, stdout } = await run('post', [
      ...['load', `${base}/notes`, '--rate', '30/s', ...SHORT, ...AVAILABLE],
      ...['--poisson', '--body', body, '--expect', '200,201', '--seed', '7'],
    ]);
    expect(code, stdout).toBe(0);
    const posts = seen.filter(({ method }) => method === 'POST');
    expect(posts.length).toBeGreaterThan(60);
    expect(posts[0]!.headers['content-type']).toBe('application/json');
    const notes = posts.map((post) => (JSON.parse(post.body) as { note: string }).note);
    expect(new Set(notes).size).toBe(notes.length);
  });

  it('goes nowhere that was not meant, and says what it cannot read', async () => {
    const away = await run('away', ['load', 'http://192.0.2.1/', '--rate', '5/s', ...SHORT]);
    expect(away.code).toBe(3);
    expect(away.stderr).toContain('HOST_NOT_ALLOWED');
    expect(away.stderr).toContain('--allow-host 192.0.2.1');
    const bare = await run('bare', ['load', base, '--rate', '500', ...SHORT]);
    expect(bare.code).toBe(3);
    expect(bare.stderr).toContain('expected a rate with its unit');
    const both = await run('both', ['load', base, '--rate', '5/s', '--vus', '3']);
    expect(both.stderr).toContain('--rate and --vus are both given');
    const printed = await cli(['load', `${base}/a`, '--vus', '3', '--over', '5s', '--http2', '--print-plan']);
    expect(printed.code).toBe(0);
    expect(printed.stdout).toContain('vus: 3');
    expect(printed.stdout).toContain('version: 2');
    expect(printed.stdout.match(/over: 5s/g)).toHaveLength(1);
    expect(seen).toEqual([]);
  });
});
