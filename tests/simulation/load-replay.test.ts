import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { Agenda } from '../../harness/load/agenda.ts';
import { kindOf } from '../../harness/load/path-template.ts';
import type { Recorded } from '../../harness/load/recording/recorded.ts';
import type { Sign } from '../../harness/load/replay-request.ts';
import { ReplaySource } from '../../harness/load/replay-source.ts';
import { Replayer } from '../../harness/load/replayer.ts';
import { fill } from '../../harness/load/template.ts';
import type { Answer, Transport } from '../../harness/load/transport.ts';
import type { LoadWindow, StepFailure } from '../../harness/spi/load.ts';
import { badOf, journeysOf, ok, specOf, sumOf } from './load-world.ts';

const FIRST_MS = Date.UTC(2025, 10, 11, 0, 0, 0);

const recorded = (atMs: number, extra: Partial<Recorded> = {}): Recorded => ({
  atMs: FIRST_MS + atMs,
  session: undefined,
  method: 'GET',
  path: '/',
  headers: [],
  body: undefined,
  status: 200,
  tookMs: undefined,
  answerHeaders: [],
  answerBody: undefined,
  ...extra,
});

interface Seen {
  path: string;
  headers: Record<string, string>;
  body: string | undefined;
  sentMs: number;
}

interface World {
  records: readonly Recorded[];
  reply?: (request: Seen, index: number) => { afterMs: number | undefined; answer: Answer };
  speed?: number;
  copies?: number;
  inFlightMax?: number;
  warmUpMs?: number;
  /** Length of the load, from t = 0. */
  lastsMs?: number;
  sign?: Sign;
  tickMs?: number;
  seed?: number;
}

/** Replays on virtual time against a scripted system. */
async function replay(
  world: World,
): Promise<{ seen: Seen[]; windows: LoadWindow[]; failures: StepFailure[]; replayer: Replayer }> {
  const { records, speed = 1, copies = 1, tickMs = 1, warmUpMs = 0, seed = 1 } = world;
  const spanMs = (records.at(-1)!.atMs - FIRST_MS) / speed;
  const lastsMs = world.lastsMs ?? spanMs - warmUpMs + 1100 / speed;
  const spec = specOf(1, 1, { executor: 'replay', warmUpMs, inFlightMax: world.inFlightMax ?? 10_000 });
  const agenda = new Agenda();
  const seen: Seen[] = [];
  let nowMs = -warmUpMs;
  const transport: Transport = {
    compile: ({ path, headers, body }) => ({
      writesTrace: false,
      send(values, _trace, receiver) {
        const request = {
          path: fill(path, values),
          headers: Object.fromEntries(headers.map(([name, value]) => [name, fill(value, values)])),
          body: body === undefined ? undefined : fill(body, values),
          sentMs: nowMs,
        };
        seen.push(request);
        const { afterMs, answer } = world.reply?.(request, seen.length - 1) ?? { afterMs: 5, answer: ok() };
        let wanted = true;
        if (afterMs !== undefined) {
          const atMs = nowMs + afterMs;
          agenda.add(atMs, () => {
            nowMs = Math.max(nowMs, atMs);
            if (wanted) receiver.answered(answer);
          });
        }
        return { cancel: () => (wanted = false) };
      },
    }),
    close: () => {},
  };
  const source = new ReplaySource({
    records: (async function* () {
      yield* records;
    })(),
    firstMs: FIRST_MS,
    speed,
    copies,
    startMs: -warmUpMs,
    endMs: lastsMs,
    seed,
  });
  const filled = source.fill();
  const kinds = [...new Set(records.map(({ method, path }) => kindOf(method, path)))].slice(0, 14);
  const tag = { traceparent: '00-{trace}-{span}-01', baggage: 'seawall.run=r1' };
  const replayer = new Replayer({
    spec,
    source,
    kinds,
    endMs: lastsMs,
    tag,
    sign: world.sign,
    transport,
    now: () => nowMs,
  });
  const windows: LoadWindow[] = [];
  const failures: StepFailure[] = [];
  const gather = (): void => {
    const output = replayer.output();
    failures.push(...output.failures);
    for (const { label, fromMs, cells } of output.windows) {
      windows.push(cells.row('sale', replayer.labels[label]!, fromMs));
      cells.clear();
      replayer.release(cells);
    }
  };
  // Reading ahead happens between the ticks.
  for (let turns = 0; turns < 50; turns++) await Promise.resolve();
  for (let ms = nowMs, ticks = 0; !replayer.done; ms += tickMs, ticks++) {
    agenda.runUntil(ms);
    nowMs = ms;
    replayer.tick();
    if (ticks % 200 === 0) {
      gather();
      await new Promise((resolve) => setImmediate(resolve));
    }
  }
  await filled;
  gather();
  return { seen, windows, failures, replayer };
}

describe('a replay', () => {
  it.each([0.1, 1, 6.5, 100])('at %d times keeps its pace: no drift, whatever came before', async (speed) => {
    const spanMs = 3_600_000 * speed;
    const records = Array.from({ length: 3601 }, (_, index) =>
      recorded((spanMs * index) / 3600, { path: `/r/${index}` }),
    );
    const { seen } = await replay({ records, speed, tickMs: 5 });
    expect(seen).toHaveLength(3601);
    const late = seen.map(({ path, sentMs }) => sentMs - (3_600_000 * Number(path.split('/')[2])) / 3600);
    // One tick of the world, after an hour as at its beginning.
    expect(Math.max(...late)).toBeLessThanOrEqual(5);
    expect(Math.min(...late)).toBeGreaterThanOrEqual(-1e-6);
  });

  it('sends each request once, in the order of its session, and counts every one', async () => {
    const request = fc.record({
      gapMs: fc.integer({ min: 0, max: 300 }),
      session: fc.integer({ min: 0, max: 4 }),
      tookMs: fc.option(fc.integer({ min: 0, max: 200 }), { nil: undefined }),
      serviceMs: fc.integer({ min: 1, max: 1500 }),
    });
    await fc.assert(
      fc.asyncProperty(
        fc.array(request, { minLength: 1, maxLength: 40 }),
        fc.constantFrom(0.5, 1, 10),
        fc.integer({ min: 1, max: 3 }),
        async (shape, speed, copies) => {
          let atMs = 0;
          const records = shape.map(({ gapMs, session, tookMs }, index) => {
            atMs += index === 0 ? 0 : gapMs;
            return recorded(atMs, { session: `s${session}`, path: `/x/${index}`, tookMs });
          });
          const service = shape.map(({ serviceMs }) => serviceMs);
          const { seen, windows } = await replay({
            records,
            speed,
            copies,
            reply: ({ path }) => ({ afterMs: service[Number(path.split('/')[2])]!, answer: ok() }),
          });
          expect(seen).toHaveLength(records.length * copies);
          const whole = journeysOf(windows);
          expect(sumOf(whole, 'scheduled')).toBe(records.length * copies);
          expect(sumOf(whole, 'good') + badOf(whole) + sumOf(whole, 'droppedLate')).toBe(records.length * copies);
          if (copies > 1) return;
          for (let session = 0; session < 5; session++) {
            const order = seen
              .map(({ path }) => Number(path.split('/')[2]))
              .filter((index) => shape[index]!.session === session);
            expect(order).toEqual([...order].sort((a, b) => a - b));
          }
        },
      ),
      { numRuns: 30 },
    );
  });

  it('keeps the order of requests that were recorded at the same moment', async () => {
    const records = Array.from({ length: 60 }, (_, index) =>
      recorded(0, { session: 's', path: `/x/${index}`, tookMs: 5 }),
    );
    const { seen } = await replay({ records });
    expect(seen.map(({ path }) => path)).toEqual(records.map(({ path }) => path));
  });

  it('waits for the answer that was waited for, and not for the one that was not', async () => {
    const records = [
      recorded(0, { session: 's', path: '/page', tookMs: 100 }),
      // Beside the first one, as a browser fetches its parts.
      recorded(40, { session: 's', path: '/image', tookMs: 20 }),
      // After both.
      recorded(300, { session: 's', path: '/next', tookMs: 10 }),
      recorded(310, { session: 'other', path: '/other', tookMs: 10 }),
    ];
    const { seen, windows } = await replay({
      records,
      reply: ({ path }) => ({ afterMs: path === '/page' ? 900 : 5, answer: ok() }),
    });
    const sent = Object.fromEntries(seen.map(({ path, sentMs }) => [path, Math.round(sentMs) + 0]));
    expect(sent).toEqual({ '/page': 0, '/image': 40, '/next': 900, '/other': 310 });
    expect(sumOf(journeysOf(windows), 'good')).toBe(4);
  });

  it('multiplies sessions as sessions: every copy whole, in order, and a little apart', async () => {
    const records = ['a', 'b']
      .flatMap((session, which) =>
        [0, 100, 250].map((atMs, index) =>
          recorded(atMs + which * 10, { session, path: `/${session}/${index}`, tookMs: 5 }),
        ),
      )
      .sort((a, b) => a.atMs - b.atMs);
    const { seen } = await replay({ records, copies: 4 });
    expect(seen).toHaveLength(24);
    const gaps = new Set<number>();
    for (const session of ['a', 'b']) {
      const firsts = seen.filter(({ path }) => path === `/${session}/0`).map(({ sentMs }) => sentMs);
      const lasts = seen.filter(({ path }) => path === `/${session}/2`).map(({ sentMs }) => sentMs);
      expect(firsts).toHaveLength(4);
      // The same copies, 250 ms later.
      const off = lasts.map((ms, index) => Math.abs(ms - firsts[index]! - 250));
      expect(Math.max(...off)).toBeLessThanOrEqual(1);
      for (const ms of firsts) gaps.add(ms);
      expect(Math.max(...firsts) - Math.min(...firsts)).toBeLessThan(1010);
    }
    expect(gaps.size).toBeGreaterThan(4);
    const again = await replay({ records, copies: 4 });
    expect(again.seen.map(({ path, sentMs }) => [path, sentMs])).toEqual(
      seen.map(({ path, sentMs }) => [path, sentMs]),
    );
  });

  it('says what the system under test says instead of what production said', async () => {
    const token = 'tok_production_77a1';
    const records = [
      recorded(0, {
        session: 's',
        path: '/login',
        method: 'POST',
        body: '{"user":"u1"}',
        tookMs: 10,
        answerBody: `{"token":"${token}","user":{"id":40017}}`,
        answerHeaders: ['set-cookie', 'sid=prod-session-1; Path=/'],
      }),
      recorded(100, {
        session: 's',
        path: '/users/40017/orders?t=tok_production_77a1',
        headers: ['authorization', `Bearer ${token}`, 'cookie', 'sid=prod-session-1; theme=dark'],
        tookMs: 10,
        answerBody: '{"orders":[{"no":"A-1001"}]}',
      }),
      recorded(200, {
        session: 's',
        path: '/orders/A-1001/pay',
        method: 'POST',
        body: '{"order":"A-1001","payer":40017}',
        tookMs: 10,
      }),
      recorded(250, { session: 'stranger', path: '/users/40017', tookMs: 10 }),
    ];
    const { seen } = await replay({
      records,
      reply: ({ path }) => {
        const body =
          path === '/login'
            ? '{"token":"tok_test_0001","user":{"id":900001}}'
            : path.includes('/orders?')
              ? '{"orders":[{"no":"B-7"}]}'
              : '{}';
        const headers = path === '/login' ? ['set-cookie', 'sid=test-session-9; Path=/'] : [];
        return { afterMs: 5, answer: { ok: true, status: 200, body, cut: false, headers } };
      },
    });
    expect(seen.map(({ path }) => path)).toEqual([
      '/login',
      '/users/900001/orders?t=tok_test_0001',
      '/orders/B-7/pay',
      // What one session learned is not another's.
      '/users/40017',
    ]);
    expect(seen[1]!.headers).toMatchObject({
      authorization: 'Bearer tok_test_0001',
      cookie: 'sid=test-session-9; theme=dark',
    });
    expect(seen[2]!.body).toBe('{"order":"B-7","payer":900001}');
    expect(seen.every(({ headers }) => /^00-[0-9a-f]{32}-[0-9a-f]{16}-01$/.test(headers.traceparent!))).toBe(true);
  });

  it('signs anew with the user’s hook, after the values are the test system’s', async () => {
    const records = [recorded(0, { path: '/pay?sign=old', headers: ['x-sign', 'old'], body: 'amount=5' })];
    const sign: Sign = (request) => ({
      ...request,
      headers: { ...request.headers, 'x-sign': `${request.path.length}:${request.body}` },
    });
    const { seen } = await replay({ records, sign });
    expect(seen[0]!.headers['x-sign']).toBe('13:amount=5');
  });

  it('takes what was refused then for refused now, and what failed then for nothing it may repeat', async () => {
    const records = [404, 404, 500, 500, 200].map((status, index) =>
      recorded(index * 50, { path: `/p/${index}`, status }),
    );
    const answers = [404, 403, 500, 200, 302];
    const { windows } = await replay({
      records,
      reply: ({ path }) => ({ afterMs: 1, answer: ok(answers[Number(path.split('/')[2])]!) }),
    });
    const whole = journeysOf(windows);
    expect([sumOf(whole, 'good'), whole.reduce((sum, row) => sum + (row.bad.status ?? 0), 0)]).toEqual([3, 2]);
  });

  it('of which what came before t = 0 is the warm-up, in no total', async () => {
    const records = Array.from({ length: 40 }, (_, index) => recorded(index * 100, { path: `/x/${index}` }));
    const { replayer, windows } = await replay({ records, warmUpMs: 2000 });
    expect(replayer.summary).toMatchObject({ scheduled: 20, sent: 20, good: 20 });
    expect(Math.min(...windows.map(({ fromMs }) => fromMs))).toBe(-2000);
  });

  it('ends though the system answers nothing, with every request accounted for', async () => {
    const records = Array.from({ length: 300 }, (_, index) =>
      recorded(index * 10, { session: 's', path: `/x/${index}` }),
    );
    const { windows, replayer } = await replay({ records, reply: () => ({ afterMs: undefined, answer: ok() }) });
    expect(replayer.done).toBe(true);
    const whole = journeysOf(windows);
    expect(sumOf(whole, 'scheduled')).toBe(300);
    expect(badOf(whole) + sumOf(whole, 'droppedLate')).toBe(300);
    expect(sumOf(whole, 'good')).toBe(0);
  });
});
