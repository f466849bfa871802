import { type ChildProcess, fork } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { afterAll, afterEach, beforeEach, describe, expect, it } from 'vitest';
import {
  descendants,
  isAlive,
  listProcesses,
  runArgument,
  signalExactly,
} from '../../harness/core/process-identity.ts';
import { autocannonDriver } from '../../harness/load/autocannon.ts';
import { k6Driver } from '../../harness/load/k6.ts';
import { nativeDriver } from '../../harness/load/native.ts';
import { shadowHeaders } from '../../harness/shadow/tag.ts';
import type { LoadSpec, LoadWindow } from '../../harness/spi/load.ts';
import { nothingTold, runLoad as run, startLoad as start, getStep as step } from '../support/load-run.ts';
import { k6, requireOrSkip } from '../support/requirements.ts';
import { bad, quantile, specOf, sum, wholes } from './engine-runs.ts';
import { LoadServer } from './load-server.ts';

const native = nativeDriver({ tag: shadowHeaders });
const k6s = k6Driver({ tag: shadowHeaders });
const autocannons = autocannonDriver({ tag: shadowHeaders });

const scripts = mkdtempSync(join(tmpdir(), 'seawall-scripts-'));
afterAll(() => rmSync(scripts, { recursive: true, force: true }));

let server: LoadServer;

beforeEach(async () => {
  server = await LoadServer.open();
});

afterEach(async () => {
  await server.close();
});

const shop = {
  browse: [step('/after/50')],
  buy: [
    step('/take', {
      method: 'POST',
      body: { id: '{marker}-{n}', user: '{user}' },
      expect: [201],
      take: { id: { json: '/order/id' } },
    }),
    step('/after/20/{id}', { method: 'POST', headers: { 'x-run': '{run}' }, ack: '{id}', name: 'pay' }),
  ],
};
const shopMix = [
  { journey: 'browse', share: 0.7 },
  { journey: 'buy', share: 0.3 },
];

describe('the same scenario by rate', () => {
  it('gives the same starts, mix, answers and acknowledgements by k6 as by the native engine', async (context) => {
    requireOrSkip(context, k6());
    const spec = specOf(server.url, shop, { level: 40, ms: 3000, mix: shopMix });
    const byNative = await run(native, spec);
    const ofNative = server.seen.splice(0);
    const byK6 = await run(k6s, spec);
    const ofK6 = server.seen.splice(0);
    for (const told of [byNative, byK6]) {
      const rows = wholes(told);
      expect(told.summary).toMatchObject({ scheduled: 120, sent: 120, good: 120, bad: 0 });
      expect(
        sum(
          rows.filter(({ journey }) => journey === 'browse'),
          'good',
        ),
      ).toBe(84);
      expect(
        sum(
          rows.filter(({ journey }) => journey === 'buy'),
          'good',
        ),
      ).toBe(36);
      expect(told.failures).toEqual([]);
      // 20 more start in the steady state: each has its key acknowledged, and no two have the same.
      expect(told.acks.every(({ outcome, answeredMs, sentMs }) => outcome === 'acked' && answeredMs! >= sentMs)).toBe(
        true,
      );
      expect(new Set(told.acks.map(({ key }) => key)).size).toBe(42);
    }
    for (const second of [0, 1000, 2000]) {
      const counts = [byNative, byK6].map((told) =>
        sum(
          wholes(told).filter(({ fromMs }) => fromMs === second),
          'scheduled',
        ),
      );
      expect(counts).toEqual([40, 40]);
    }
    const bodies = (seen: typeof ofK6): string[] =>
      seen.filter(({ url }) => url === '/take').map(({ body }) => (JSON.parse(body) as { id: string }).id);
    expect(bodies(ofK6).toSorted()).toEqual(bodies(ofNative).toSorted());
    const paid = new Set(
      ofK6.filter(({ url }) => url.startsWith('/after/20/')).map(({ url }) => url.split('/').at(-1)),
    );
    expect(paid).toEqual(new Set(byK6.acks.map(({ key }) => key)));
    const tags = ofK6.map(({ headers }) => String(headers.traceparent));
    expect(tags.every((tag) => /^00-[0-9a-f]{32}-[0-9a-f]{16}-01$/.test(tag))).toBe(true);
    expect(new Set(tags).size).toBe(ofK6.length);
    expect(ofK6[0]!.headers.baggage).toBe(`seawall.run=${spec.runId},seawall.shadow=1`);
  });

  it('measures a known service time alike: medians within 10 ms, 99th percentiles within 100 ms', async (context) => {
    requireOrSkip(context, k6());
    const spec = specOf(server.url, { browse: [step('/after/50')] }, { level: 50, ms: 4000 });
    const [byNative, byK6] = [await run(native, spec), await run(k6s, spec)].map(wholes);
    for (const of of ['fromIntended', 'service'] as const) {
      expect(quantile(byK6!, of, 0.01)).toBeGreaterThanOrEqual(49);
      expect(Math.abs(quantile(byK6!, of, 0.5) - quantile(byNative!, of, 0.5))).toBeLessThan(10);
      expect(Math.abs(quantile(byK6!, of, 0.99) - quantile(byNative!, of, 0.99))).toBeLessThan(100);
    }
  });

  it('follows the same curve, to the start', async (context) => {
    requireOrSkip(context, k6());
    const segments = [
      { fromRate: 0, toRate: 60, durationMs: 2000 },
      { fromRate: 60, toRate: 60, durationMs: 1000 },
      { fromRate: 20, toRate: 0, durationMs: 1000 },
    ];
    const ramp = { executor: 'ramping-arrival-rate' as const, segments, warmUpMs: 500, warmUpRate: 60 };
    const spec = specOf(server.url, { browse: [step('/after/5')] }, { level: 60, ms: 0, ...ramp });
    const [byNative, byK6] = [await run(native, spec), await run(k6s, spec)];
    const bySecond = (told: typeof byK6): number[] =>
      [-1000, 0, 1000, 2000, 3000].map((second) =>
        sum(
          told.windows.filter((row) => row.step === undefined && row.fromMs === second),
          'scheduled',
        ),
      );
    expect(bySecond(byK6)).toEqual(bySecond(byNative));
    expect(bySecond(byK6)).toEqual([45, 15, 45, 60, 10]);
    expect(byK6.summary.sent).toBe(130);
  });

  it('is sent by two k6 in stripes as by one, every number once', async (context) => {
    requireOrSkip(context, k6());
    const spec = specOf(server.url, shop, { level: 30, ms: 2000, mix: shopMix });
    const whole = await run(k6s, spec);
    const numbers = (): string[] =>
      server.seen
        .splice(0)
        .filter(({ url }) => url === '/take')
        .map(({ body }) => (JSON.parse(body) as { id: string }).id)
        .toSorted();
    const ofWhole = numbers();
    const told = [nothingTold(), nothingTold()];
    const jobs = await Promise.all(told.map((into, index) => start(k6s, { ...spec, stripe: { index, of: 2 } }, into)));
    const originMs = Date.now() + spec.steadyMs + 200;
    for (const job of jobs) job.begin(originMs);
    const summaries = await Promise.all(jobs.map((job) => job.done));
    expect(summaries.map(({ scheduled }) => scheduled)).toEqual([30, 30]);
    expect(numbers()).toEqual(ofWhole);
    for (const second of [0, 1000]) {
      const of = (rows: readonly LoadWindow[]): number =>
        sum(
          rows.filter(({ fromMs }) => fromMs === second),
          'good',
        );
      expect(of(wholes(told[0]!)) + of(wholes(told[1]!))).toBe(of(wholes(whole)));
    }
  });

  it('drops by k6 what has no free user, in the second in which it was due, and counts it as the native engine does', async (context) => {
    requireOrSkip(context, k6());
    const spec = specOf(server.url, { browse: [step('/after/250')] }, { level: 40, ms: 3000, inFlightMax: 5 });
    const [byNative, byK6] = [await run(native, spec), await run(k6s, spec)];
    for (const told of [byNative, byK6]) {
      const rows = wholes(told);
      expect(told.summary.scheduled).toBe(120);
      expect(sum(rows, 'sent') + sum(rows, 'droppedCap')).toBe(120);
      expect(bad(rows, 'dropped')).toBe(sum(rows, 'droppedCap'));
      expect(sum(rows, 'good') + bad(rows)).toBe(120);
      // Five at once, 250 ms each: 20 a second of 40 find room.
      for (const second of [0, 1000, 2000]) {
        const dropped = sum(
          rows.filter(({ fromMs }) => fromMs === second),
          'droppedCap',
        );
        expect(dropped).toBeGreaterThan(14);
        expect(dropped).toBeLessThan(27);
      }
    }
    expect(Math.abs(byK6.summary.sent - byNative.summary.sent)).toBeLessThan(8);
    // What was dropped does not shift what was sent: it is still timed from its own start.
    expect(
      quantile(
        wholes(byK6).map((row) => ({ ...row })),
        'service',
        0.5,
      ),
    ).toBeLessThan(300);
  });
});

describe('the same users', () => {
  it.for([native, k6s, autocannons])(
    'go round as often by $name as their answers let them',
    async (driver, context) => {
      if (driver === k6s) requireOrSkip(context, k6());
      const journeys = { browse: [step('/after/50')], pay: [step('/after/50/pay', { ack: '{marker}-{n}' })] };
      const told = await run(driver, specOf(server.url, journeys, { level: 4, ms: 3000, executor: 'constant-vus' }));
      const rows = wholes(told);
      // Four users, each at most 20 times a second: the same for every engine.
      expect(told.summary.sent).toBeGreaterThan(180);
      expect(told.summary.sent).toBeLessThanOrEqual(244);
      expect(told.summary.good).toBe(told.summary.sent);
      expect(told.summary.scheduled).toBe(told.summary.sent);
      expect(quantile(rows, 'service', 0.01)).toBeGreaterThanOrEqual(49);
      expect(quantile(rows, 'service', 0.5)).toBeLessThan(62);
      const pays = sum(
        rows.filter(({ journey }) => journey === 'pay'),
        'sent',
      );
      expect(Math.abs(pays - told.summary.sent / 2)).toBeLessThanOrEqual(5);
      expect(new Set(told.acks.map(({ key }) => key)).size).toBe(told.acks.length);
      expect(told.acks.every(({ outcome }) => outcome === 'acked')).toBe(true);
      expect(new Set(server.seen.map(({ headers }) => headers.traceparent)).size).toBe(server.seen.length);
    },
  );

  it('are told apart by autocannon, too: statuses, broken connections, answers that come too late', async () => {
    for (const [path, why] of [
      ['/status/500', 'status'],
      ['/half', 'reset'],
      ['/after/300', 'timeout'],
    ] as const) {
      const spec = specOf(
        server.url,
        { pay: [step(path, { ack: '{marker}-{n}' })] },
        { level: 1, ms: 700, executor: 'constant-vus' },
      );
      spec.scenario.good.withinMs = 200;
      const told = await run(autocannons, spec);
      expect(told.summary.good).toBe(0);
      expect(bad(wholes(told), why)).toBe(told.summary.bad);
      expect(told.summary.bad).toBeGreaterThan(0);
      expect(told.failures[0]).toMatchObject({ class: why, journey: 'pay', step: path.slice(1) });
      expect(told.failures.map(({ body }) => body ?? '').join()).not.toMatch(/hunter2|a\.user|4111/);
    }
  });
});

describe('k6', () => {
  it.for([
    ['/status/500', 'status'],
    ['/reset', 'reset'],
    ['/half', 'reset'],
    ['/slow-body', 'timeout'],
    ['/silent', 'timeout'],
    ['/garbage', 'body'],
  ] as const)('tells %s as %s and the acknowledgement as unknown', async ([path, why], context) => {
    requireOrSkip(context, k6());
    const journeys = { pay: [step(path, { method: 'POST', ack: '{marker}-{n}' }), step('/after/1')] };
    const spec = specOf(server.url, journeys, { level: 20, ms: 500 });
    const told = await run(k6s, spec);
    const rows = wholes(told);
    expect(bad(rows, why)).toBe(10);
    expect(sum(rows, 'good')).toBe(0);
    expect(
      sum(
        told.windows.filter((row) => row.step === 'after/1' && row.fromMs >= 0),
        'abandoned',
      ),
    ).toBe(10);
    expect(told.acks).toHaveLength(20);
    expect(new Set(told.acks.map(({ outcome }) => outcome))).toEqual(new Set(['unknown']));
    expect(told.failures[0]).toMatchObject({ class: why, step: path.slice(1), journey: 'pay' });
    expect(told.failures[0]!.traceparent).toMatch(/^00-[0-9a-f]{32}-/);
    expect(told.failures.map(({ body }) => body ?? '').join()).not.toMatch(/hunter2|a\.user|4111/);
  });

  it('tells a refused connection', async (context) => {
    requireOrSkip(context, k6());
    const spec = specOf(`http://127.0.0.1:${await freePort()}`, { pay: [step('/x')] }, { level: 20, ms: 500 });
    const told = await run(k6s, spec);
    expect(bad(wholes(told), 'refused')).toBe(10);
    expect(told.failures[0]).toMatchObject({ status: null, body: null });
  });

  it('takes from headers, cookies and texts, holds checks, thinks, and lets go of those who do not convert', async (context) => {
    requireOrSkip(context, k6());
    const first = step('/signed', {
      take: { token: { header: 'X-Token' }, visit: { cookie: 'visit' }, word: { regex: 'word=(\\w+)' } },
      checks: [
        { of: { json: '/items' } },
        { of: { json: '/total' }, equals: '3' },
        { of: { header: 'x-token' }, matches: '^t-' },
      ],
    });
    const second = step('/after/1/{token}/{visit}', {
      name: 'second',
      body: { word: '{word}', same: '{n}' },
      method: 'POST',
      think: { fromMs: 100, toMs: 100 },
      conversion: 0.5,
    });
    const told = await run(k6s, specOf(server.url, { visit: [first, second] }, { level: 40, ms: 2000 }));
    expect(told.summary).toMatchObject({ sent: 80, good: 80, bad: 0 });
    const rows = told.windows.filter((row) => row.step === 'second' && row.fromMs >= 0);
    const left = rows.reduce((all, row) => all + (row.left ?? 0), 0);
    expect(left + sum(rows, 'good')).toBeGreaterThanOrEqual(78);
    expect(left).toBeGreaterThan(25);
    expect(left).toBeLessThan(55);
    const seen = server.seen.filter(({ url }) => url.startsWith('/after/1/'));
    expect(
      seen.every(
        ({ url, body }) => /^\/after\/1\/t-1\/v-1$/.test(url) && /^\{"word":"blue","same":"\d+"\}$/.test(body),
      ),
    ).toBe(true);
    // No cookie is sent that the journey does not ask for.
    expect(seen.some(({ headers }) => headers.cookie !== undefined)).toBe(false);
    const unheld = { ...first, checks: [{ of: { json: '/total' }, equals: '4' } as const] };
    const failed = await run(k6s, specOf(server.url, { visit: [unheld] }, { level: 20, ms: 500 }));
    expect(bad(wholes(failed), 'body')).toBe(10);
  });

  it('runs each journey once as a canary, untagged for real traffic, with keys that the load never uses', async (context) => {
    requireOrSkip(context, k6());
    const journeys = { pay: [step('/after/1', { ack: '{marker}-{n}' })], bad: [step('/status/503')] };
    const spec = { ...specOf(server.url, journeys, { level: 20, ms: 500, shadow: false }), firstNumber: 100 };
    const job = await start(k6s, spec, nothingTold());
    expect(await job.canary(AbortSignal.timeout(10_000))).toMatchObject([
      { journey: 'pay', good: true, acks: ['sw00000000-100'] },
      { journey: 'bad', good: false, acks: [], because: expect.stringContaining('status 503, expected 200') },
    ]);
    expect(server.seen.map((seen) => seen.headers.baggage)).toEqual([undefined, undefined]);
    await job.stop();
  });

  it('stops when it is told to, within two seconds, with every start until then accounted for', async (context) => {
    requireOrSkip(context, k6());
    const told = nothingTold();
    const job = await start(k6s, specOf(server.url, { browse: [step('/after/400')] }, { level: 40, ms: 60_000 }), told);
    job.begin(Date.now() + 600);
    await sleep(2100);
    const askedMs = Date.now();
    const summary = await job.stop();
    expect(Date.now() - askedMs).toBeLessThan(2000);
    expect(summary.scheduled).toBeGreaterThan(45);
    expect(summary.good + summary.bad).toBe(summary.scheduled);
    expect(bad(wholes(told), 'unfinished')).toBe(summary.bad);
    expect(sum(wholes(told), 'sent')).toBe(summary.sent);
    // About 400 ms of starts were on their way.
    expect(summary.bad).toBeGreaterThan(5);
    expect(summary.bad).toBeLessThan(30);
  });

  it('rejects `done` when k6 dies, and says how', async (context) => {
    requireOrSkip(context, k6());
    const job = await start(
      k6s,
      specOf(server.url, { browse: [step('/after/1')] }, { level: 20, ms: 5000 }),
      nothingTold(),
    );
    job.begin(Date.now() + 600);
    await sleep(300);
    const child = descendants(job.pid!).find(({ command }) => command.includes('k6 run'))!;
    expect(child.command.split(' ')).toContain(runArgument(`engines-${process.pid}`));
    signalExactly(child, 'SIGKILL');
    await expect(job.done).rejects.toMatchObject({
      code: 'LOAD_GENERATOR_DIED',
      message: expect.stringContaining('SIGKILL'),
    });
  });

  it('says what k6 said of a script that it cannot run', async (context) => {
    requireOrSkip(context, k6());
    const script = scriptFile('export default function ( {');
    const spec = specOf(server.url, { script: [] }, { level: 1, ms: 1000, shadow: false, script });
    await expect(start(k6s, spec, nothingTold())).rejects.toMatchObject({
      code: 'LOAD_SCRIPT_BROKEN',
      message: expect.stringMatching(/mine\.js: Line 1:\d+/),
    });
  });

  it('runs a script of the user’s own, and nowhere but to the target and loopback', async (context) => {
    requireOrSkip(context, k6());
    const script = scriptFile(`
      import http from 'k6/http';
      export const options = { scenarios: { mine: { executor: 'constant-arrival-rate', rate: 20, duration: '2s', preAllocatedVUs: 5 } } };
      export default function () {
        http.get(__ENV.SEAWALL_TARGET + '/after/50', { tags: { name: 'look' } });
        http.get(__ENV.SEAWALL_TARGET + '/status/500/' + __ITER);
        http.get('http://192.0.2.1/', { tags: { name: 'elsewhere' }, timeout: 500 });
      }`);
    const spec = specOf(server.url, { script: [] }, { level: 1, ms: 2000, shadow: false, script });
    spec.steadyMs = 0;
    const told = await run(k6s, spec);
    const of = (name: string): typeof told.windows => told.windows.filter((row) => row.step === name);
    expect(sum(of('look'), 'good')).toBeGreaterThanOrEqual(39);
    expect(quantile(of('look'), 'service', 0.5)).toBeGreaterThanOrEqual(49);
    expect(quantile(of('look'), 'service', 0.5)).toBeLessThan(65);
    expect(bad(of('GET'), 'status')).toBe(sum(of('GET'), 'sent'));
    expect(sum(of('elsewhere'), 'good')).toBe(0);
    expect(sum(of('elsewhere'), 'sent')).toBeGreaterThan(35);
    expect(told.failures.find((failure) => failure.step === 'elsewhere')).toMatchObject({ status: null });
    expect(told.summary.scheduled).toBe(sum(wholes(told), 'scheduled'));
    expect(new Set(told.windows.map(({ journey }) => journey))).toEqual(new Set(['script']));
  });
});

describe.for(['k6', 'autocannon'] as const)('a generator around %s', (engine) => {
  it('ends within 2 s of its parent’s death, with all that it started', async (context) => {
    if (engine === 'k6') requireOrSkip(context, k6());
    const executor = 'constant-vus' as const;
    const spec = specOf(server.url, { browse: [step('/after/20')] }, { level: 2, ms: 60_000, executor, engine });
    spec.runId = `engine-orphan-${process.pid}`;
    const { parent, pid } = await startParent(spec);
    await sleep(1000);
    expect(server.seen.length).toBeGreaterThan(0);
    const rows = listProcesses();
    const all = [...rows.filter((row) => row.pid === pid), ...descendants(pid, rows)];
    expect(all[0]!.command).toContain(runArgument(spec.runId));
    expect(all.filter(({ command }) => command.includes('k6 run'))).toHaveLength(engine === 'k6' ? 1 : 0);
    parent.kill('SIGKILL');
    const endMs = Date.now() + 2000;
    while (all.some(isAlive) && Date.now() < endMs) await sleep(20);
    expect(all.filter(isAlive)).toEqual([]);
  });
});

function scriptFile(text: string): string {
  const file = join(scripts, 'mine.js');
  writeFileSync(file, text);
  return file;
}

async function startParent(spec: LoadSpec): Promise<{ parent: ChildProcess; pid: number }> {
  const file = fileURLToPath(new URL('./engine-parent.ts', import.meta.url));
  const parent = fork(file, [], { execArgv: [], stdio: ['ignore', 'inherit', 'inherit', 'ipc'] });
  const pid = await new Promise<number>((resolve, reject) => {
    parent.once('message', (message) => resolve(Number(message)));
    parent.once('exit', (code) => reject(new Error(`the parent ended with ${code}`)));
    parent.send(spec);
  });
  return { parent, pid };
}

async function freePort(): Promise<number> {
  const closed = createServer();
  await new Promise<void>((resolve) => closed.listen(0, '127.0.0.1', resolve));
  const address = closed.address();
  await new Promise((resolve) => closed.close(resolve));
  return address !== null && typeof address === 'object' ? address.port : 0;
}
