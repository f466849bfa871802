import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, expect, it } from 'vitest';
import { cli, readReport } from '../support/cli.ts';

let folder: string;
let server: Server;
let url: string;
let seen: string[];

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'seawall-traffic-'));
});

afterAll(() => rmSync(folder, { recursive: true, force: true }));

beforeEach(async () => {
  seen = [];
  server = createServer((request, response) => {
    seen.push(request.url!);
    response.end('ok');
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
});

afterEach(async () => {
  server.closeAllConnections();
  await new Promise((resolve) => server.close(resolve));
});

it('three generators share one load, and are judged as the one that it is', async () => {
  const load = [
    'load',
    `${url}/n/{n}`,
    '--rate',
    '90/s',
    '--for',
    '4s',
    '--warm-up',
    '1s',
    '--good',
    '2s',
    '--seed',
    '5',
  ];
  const out = (name: string): string[] => ['--out', join(folder, name)];
  const startAt = new Date(Date.now() + 9000).toISOString();
  const parts = await Promise.all(
    [1, 2, 3].map((index) => cli([...load, '--segment', `${index}/3`, '--start-at', startAt, ...out(`part-${index}`)])),
  );
  // Each alone proves nothing.
  expect(parts.map(({ code }) => code)).toEqual([2, 2, 2]);
  const numbered = seen.filter((path) => path.startsWith('/n/'));
  const merged = await cli(['report', ...[1, 2, 3].map((index) => join(folder, `part-${index}`)), ...out('merged')]);
  expect(`${merged.code}\n${merged.stdout}${merged.stderr}`).toMatch(/^0\n/);
  const report = readReport(join(folder, 'merged'));
  const total = report.totals.find(({ step }) => step === undefined)!;
  expect([total.scheduled, total.good]).toEqual([360, 360]);
  // Beside the canary that each of them sends, every start once.
  expect(new Set(numbered).size).toBe(numbered.length - 2);
  const missing = await cli(['report', join(folder, 'part-1'), join(folder, 'part-3'), ...out('wrong')]);
  expect([missing.code, missing.stderr]).toEqual([3, expect.stringContaining('segment 2 of 3 is missing')]);
});

it('yesterday’s log becomes tomorrow’s load: imported masked, scanned clean, looked at, replayed', async () => {
  const log = join(folder, 'access.log');
  const recording = join(folder, 'day.swr');
  const line = (second: number, ip: number, path: string): string =>
    `10.0.0.${ip} - - [11/Nov/2025:00:00:${String(second).padStart(2, '0')} +0800] "GET ${path} HTTP/1.1" 200 5 "-" "Mozilla/5.0"`;
  const lines = Array.from({ length: 8 }, (_, second) =>
    Array.from({ length: 25 }, (_, index) =>
      line(second, index % 9, index % 5 === 0 ? '/users?phone=13812345678' : `/items/${index}`),
    ),
  ).flat();
  writeFileSync(log, `${lines.join('\n')}\nthis is no line of an access log\n`);

  const imported = await cli(['import', log, '-o', recording]);
  expect(`${imported.code}\n${imported.stdout}${imported.stderr}`).toMatch(/^0\n/);
  expect(imported.stdout).toMatch(/200 requests[\s\S]*1 malformed/);

  expect((await cli(['scan', recording])).code).toBe(0);
  const dirty = await cli(['scan', log]);
  expect(dirty.code).toBe(1);
  expect(dirty.stdout).not.toContain('13812345678');

  const looked = await cli(['inspect', recording]);
  expect(looked.stdout).toContain('/items/{id}');

  const plan = join(folder, 'replay.yaml');
  writeFileSync(
    plan,
    `plan: replay
hypothesis: Yesterday at twice its pace is answered.
stack: { existing: { site: "${url}" }, journeys: {} }
load: [{ scenario: day, recording: day.swr, speed: 2, sessions: 2, good: { within: 2s } }]
steadyState: { for: 1s, good: 90% }
guard: none
verify: [availability: { of: day, target: 95% }]
`,
  );
  const run = await cli(['run', plan, '--out', join(folder, 'replayed')]);
  expect(`${run.code}\n${run.stdout}${run.stderr}`).toMatch(/^0\n/);
  expect(seen.filter((path) => path !== '/').length).toBeGreaterThanOrEqual(380);
  expect(seen.join()).not.toContain('13812345678');
});
