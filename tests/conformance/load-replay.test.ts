import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { nativeDriver } from '../../harness/load/native.ts';
import type { Recorded } from '../../harness/load/recording/recorded.ts';
import { NO_NOTES } from '../../harness/load/recording/recording-format.ts';
import { RecordingWriter } from '../../harness/load/recording/recording-writer.ts';
import { shadowHeaders } from '../../harness/shadow/tag.ts';
import type { LoadSpec } from '../../harness/spi/load.ts';
import { badByClass, loadSpec, runLoad } from '../support/load-run.ts';

const driver = nativeDriver({ tag: shadowHeaders });
const SESSIONS = 40;
const FIRST_MS = Date.UTC(2025, 10, 11);
let folder: string;
let recording: string;

/** Visits of three requests each: log in, order, pay; every answer names something that the next request needs. */
function visits(): Recorded[] {
  const request = (session: number, atMs: number, extra: Partial<Recorded>): Recorded => ({
    atMs: FIRST_MS + session * 25 + atMs,
    session: `s${session}`,
    method: 'POST',
    path: '/',
    headers: ['content-type', 'application/json'],
    body: undefined,
    status: 200,
    tookMs: 10,
    answerHeaders: [],
    answerBody: undefined,
    ...extra,
  });
  return Array.from({ length: SESSIONS }, (_, session) => [
    request(session, 0, {
      path: '/login',
      body: `{"user":"u${session}"}`,
      answerBody: `{"token":"prod-token-${session}"}`,
    }),
    request(session, 200, {
      path: '/orders',
      headers: ['authorization', `Bearer prod-token-${session}`],
      body: '{"item":7}',
      answerBody: `{"order":"P-${10_000 + session}"}`,
    }),
    request(session, 400, {
      path: `/orders/P-${10_000 + session}/pay`,
      headers: ['authorization', `Bearer prod-token-${session}`],
      body: '{}',
    }),
  ])
    .flat()
    .sort((a, b) => a.atMs - b.atMs);
}

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'seawall-replay-'));
  recording = join(folder, 'visits.swr');
  const writer = new RecordingWriter(recording, { format: 'test', inputs: [], session: 'none' });
  for (const visit of visits()) writer.add(visit);
  writer.close(NO_NOTES);
});

afterAll(() => rmSync(folder, { recursive: true, force: true }));

/** A shop with names of its own: who comes with production's is turned away. */
async function shop() {
  const tokens = new Map<string, string>();
  const paid: string[] = [];
  let count = 0;
  const server = createServer((request, response) => {
    const chunks: Buffer[] = [];
    request.on('data', (chunk: Buffer) => chunks.push(chunk));
    request.on('end', () => {
      const url = request.url!;
      const token = /^Bearer (.*)$/.exec(request.headers.authorization ?? '')?.[1];
      const say = (status: number, body: unknown): void => {
        response.writeHead(status, { 'content-type': 'application/json' });
        response.end(JSON.stringify(body));
      };
      if (url === '/login') {
        const fresh = `test-token-${++count}`;
        tokens.set(fresh, '');
        return say(200, { token: fresh });
      }
      if (token === undefined || !tokens.has(token)) return say(401, { error: 'who are you' });
      if (url === '/orders') {
        const order = `T-${++count}`;
        tokens.set(token, order);
        return say(200, { order });
      }
      const order = /^\/orders\/(.*)\/pay$/.exec(url)?.[1];
      if (order === undefined || tokens.get(token) !== order) return say(404, { error: 'not yours' });
      paid.push(order);
      return say(200, {});
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    paid,
    close: async () => {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

function replaySpec(target: string, extra: Partial<LoadSpec> = {}, sessions = 1, sign?: string): LoadSpec {
  const replay = { recording, speed: 1, sessions, ...(sign === undefined ? {} : { sign }) };
  const spec = loadSpec(target, {
    executor: 'replay',
    replay,
    journeys: {},
    mix: [{ journey: 'replay', share: 1 }],
    ms: 2600,
  });
  return { ...spec, ...extra };
}

it('plays production’s visits on a system that has other names for everything', async () => {
  const server = await shop();
  try {
    const { summary, windows, failures } = await runLoad(driver, replaySpec(server.url));
    expect(failures).toEqual([]);
    expect(summary).toMatchObject({ scheduled: 3 * SESSIONS, good: 3 * SESSIONS, bad: 0 });
    expect(new Set(server.paid).size).toBe(SESSIONS);
    expect([...new Set(windows.flatMap(({ step }) => step ?? []))].sort()).toEqual([
      'POST /login',
      'POST /orders',
      'POST /orders/{id}/pay',
    ]);
  } finally {
    await server.close();
  }
});

it('multiplies visits, and stripes them over generators that together send each once', async () => {
  const server = await shop();
  try {
    const parts = await Promise.all(
      [0, 1].map((index) => runLoad(driver, replaySpec(server.url, { stripe: { index, of: 2 } }, 2))),
    );
    expect(parts.map(({ windows }) => badByClass(windows))).toEqual([{}, {}]);
    expect(parts.reduce((sum, { summary }) => sum + summary.good, 0)).toBe(2 * 3 * SESSIONS);
    expect(parts.every(({ summary }) => summary.good > SESSIONS)).toBe(true);
    expect(new Set(server.paid).size).toBe(2 * SESSIONS);
  } finally {
    await server.close();
  }
});

it('signs by the user’s module, and says what is wrong with one that cannot', async () => {
  const server = await shop();
  const sign = join(folder, 'sign.mjs');
  writeFileSync(
    sign,
    `export default (request) => ({ ...request, headers: { ...request.headers, authorization: 'Bearer nobody' } });`,
  );
  const broken = join(folder, 'broken.mjs');
  writeFileSync(broken, 'export const nothing = 1;');
  try {
    const { windows } = await runLoad(driver, replaySpec(server.url, {}, 1, sign));
    expect(badByClass(windows)).toEqual({ status: 2 * SESSIONS });
    await expect(runLoad(driver, replaySpec(server.url, {}, 1, broken))).rejects.toThrow(
      'broken.mjs exports no function',
    );
  } finally {
    await server.close();
  }
});
