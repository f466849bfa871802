import { createHash } from 'node:crypto';
import { runInNewContext } from 'node:vm';
import { describe, expect, it } from 'vitest';
import type { LoadSpec } from '../spi/load.ts';
import type { JourneyStep } from '../spi/stack.ts';
import { planK6 } from './k6-plan.ts';
import { compileK6Canary, compileK6Script } from './k6-script.ts';
import { startValues, traceOf } from './start-values.ts';

const step = (extra: Partial<JourneyStep>): JourneyStep => ({
  name: 'a step',
  method: 'GET',
  path: '/',
  headers: {},
  body: undefined,
  expect: [200],
  take: {},
  checks: [],
  ack: undefined,
  think: { fromMs: 0, toMs: 0 },
  conversion: 1,
  ...extra,
});

const order = step({
  name: 'POST /orders',
  method: 'POST',
  path: '/orders',
  headers: { 'x-run': '{run}' },
  body: { id: '{marker}-{n}', user: '{user}', nested: { key: '{uuid}' } },
  expect: [201, 202],
  take: { id: { json: '/order/id' }, token: { header: 'X-Token' } },
  checks: [{ of: { json: '/items/0' } }, { of: { regex: 'total=(\\d+)' }, equals: '3', matches: '^\\d$' }],
});
const pay = step({
  name: 'pay',
  method: 'POST',
  path: '/orders/{id}/pay?t={token}',
  think: { fromMs: 10, toMs: 20 },
  conversion: 0.5,
  ack: '{id}',
});

const spec = {
  runId: 'run-1',
  scenario: {
    name: 'sale',
    executor: 'constant-arrival-rate',
    segments: [{ fromRate: 10, toRate: 10, durationMs: 2000 }],
    warmUpRate: 10,
    warmUpMs: 0,
    mix: [
      { journey: 'buy', share: 0.75 },
      { journey: 'look', share: 0.25 },
    ],
    journeys: { buy: [order, pay], look: [step({ name: 'GET /', path: '/' })] },
    good: { withinMs: 500, journeyWithinMs: undefined, shed: 'excluded' },
    shadow: true,
    inFlightMax: 100,
  },
  target: 'http://127.0.0.1:8080/shop/',
  seed: 7,
  marker: 'sw1',
  users: { from: 100, to: 199 },
  firstNumber: 1000,
  steadyMs: 0,
  drainMs: 1000,
} as unknown as LoadSpec;
const TAG = { traceparent: '00-{trace}-{span}-01', baggage: 'seawall.run=run-1,seawall.shadow=1' };

const compiled = compileK6Script(spec, TAG, planK6(spec));

interface Request {
  method: string;
  url: string;
  body: string | null;
  params: { headers: Record<string, string>; timeout: number };
}
type Answer = { status: number; body?: string; headers?: Record<string, string>; error_code?: number; error?: string };

/** Runs a compiled script where k6's modules are ours: what it asked for, and the lines that it told. */
function play(
  text: string,
  call: string,
  iteration: number,
  answer: (request: Request) => Answer,
): { requests: Request[]; lines: unknown[][] } {
  const requests: Request[] = [];
  const lines: unknown[][] = [];
  let atMs = 1000;
  const request = (method: string, url: string, body: string | null, params: Request['params']): object => {
    const asked = { method, url, body, params };
    requests.push(asked);
    atMs += 25;
    return { error_code: 0, error: '', body: '', headers: {}, cookies: {}, ...answer(asked) };
  };
  const instance = {
    get currentTestRunDuration(): number {
      return atMs;
    },
  };
  let epoch = 1_700_000_000_000;
  const world = {
    exec: { instance, scenario: { iterationInTest: iteration, progress: 0.5 } },
    crypto: { sha256: (input: string) => createHash('sha256').update(input).digest('hex') },
    http: { request, CookieJar: class {} },
    sleep: (seconds: number) => {
      atMs += seconds * 1000;
    },
    console: { log: (line: string) => void lines.push(JSON.parse(line.slice(1)) as unknown[]) },
    Date: { now: () => epoch++ },
  };
  const body = text.replace(/^import .*$/gm, '').replace(/^export /gm, '');
  runInNewContext(`${body}\n${call}`, world);
  return { requests, lines };
}

const bought = (): Answer => ({
  status: 201,
  body: '{"order":{"id":"o/1"},"items":[[]],"text":"total=3"}',
  headers: { 'X-Token': 't 1' },
});

describe('a compiled script', () => {
  it('says what it does', () => {
    const [, , journeys] = /(const JOURNEYS = )([\s\S]*?\n\];)/.exec(compiled)!;
    expect(journeys).toMatchInlineSnapshot(`
      "[
        {
          name: "buy",
          feeds: [],
          steps: [
            {
              name: "POST /orders",
              method: "POST",
              expect: [201,202],
              think: [0,0],
              conversion: 1,
              tags: {"name":"buy POST /orders","journey":"buy","step":"POST /orders"},
              url: (v) => "http://127.0.0.1:8080/shop" + "/orders",
              headers: (v) => ({ "content-type": "application/json", "x-run": "run-1" }),
              body: (v) => JSON.stringify({ "id": "sw1-" + String(v.n), "user": v.user, "nested": { "key": v.uuid } }),
              take: (answer, v) => (v.id = json(answer, ["order","id"])) !== undefined && (v.token = header(answer, "x-token")) !== undefined,
              check: (answer) => locate(answer, ["items","0"]) !== undefined && ((value) => value !== undefined && String(value) === "3" && pattern("^\\\\d$").test(String(value).slice(0, SEARCHED_MAX)))(regex(answer, pattern("total=(\\\\d+)"))),
              ack: () => undefined,
            },
            {
              name: "pay",
              method: "POST",
              expect: [200],
              think: [10,20],
              conversion: 0.5,
              tags: {"name":"buy pay","journey":"buy","step":"pay"},
              url: (v) => "http://127.0.0.1:8080/shop" + "/orders/" + inPath(v.id) + "/pay?t=" + inPath(v.token),
              headers: (v) => ({}),
              body: (v) => null,
              take: () => true,
              check: () => true,
              ack: (v) => (v.id === undefined ? undefined : String(v.id)),
            },
          ],
        },
        {
          name: "look",
          feeds: [],
          steps: [
            {
              name: "GET /",
              method: "GET",
              expect: [200],
              think: [0,0],
              conversion: 1,
              tags: {"name":"look GET /","journey":"look","step":"GET /"},
              url: (v) => "http://127.0.0.1:8080/shop" + "/",
              headers: (v) => ({}),
              body: (v) => null,
              take: () => true,
              check: () => true,
              ack: () => undefined,
            },
          ],
        },
      ];"
    `);
    expect(compiled).toContain(
      `const tagsOf = (trace, span) => ({ "traceparent": "00-" + String(trace) + "-" + String(span) + "-01", "baggage": "seawall.run=run-1,seawall.shadow=1" });`,
    );
    expect(compiled).toContain('const CYCLE = [0,0,1,0];');
    expect(compiled).toContain(
      'const PHASES = {"load":{"count":20,"lengthMs":2000,"began":null,"first":1002,"row":2,"offset":0,"stride":1}};',
    );
  });

  it('is the same for the same spec', () => {
    expect(compileK6Script(structuredClone(spec), TAG, planK6(spec))).toBe(compiled);
  });

  it('makes the values, tags and requests that its start has by seed and number', () => {
    const { requests } = play(compiled, 'load();', 3, bought);
    const values = startValues('7/load/sale', 1005, spec.users);
    const [first] = requests;
    expect(first).toMatchObject({ method: 'POST', url: 'http://127.0.0.1:8080/shop/orders' });
    expect(JSON.parse(first!.body!)).toEqual({
      id: 'sw1-1005',
      user: values.get('user'),
      nested: { key: values.get('uuid') },
    });
    expect(values.get('uuid')).toMatch(/^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/);
    expect(Number(values.get('user'))).toBeGreaterThanOrEqual(100);
    expect(Number(values.get('user'))).toBeLessThanOrEqual(199);
    const { trace, span } = traceOf('7/load/sale', 1005, 0);
    expect(first!.params).toMatchObject({
      headers: {
        'content-type': 'application/json',
        'x-run': 'run-1',
        traceparent: `00-${trace}-${span}-01`,
        baggage: TAG.baggage,
      },
      timeout: 500,
    });
  });

  it('ties its clock to the machine’s with its first iteration', () => {
    const { lines } = play(compiled, 'load();', 0, bought);
    // Half of the phase's 2 s are over at 1 s of k6's clock.
    expect(lines[0]).toEqual(['o', 'load', 0, 1_700_000_000_001_000 - 1_000_000]);
    expect(lines[1]).toEqual(['b', 'load', 0, 0, 1_000_000]);
  });

  /** Iterations 0 to 19 without those of the journey of one step. */
  const buys = Array.from({ length: 20 }, (_, iteration) => iteration)
    .filter((iteration) => iteration % 4 !== 2)
    .map((iteration) => {
      const { requests, lines } = play(compiled, 'load();', iteration, ({ url }) =>
        url.endsWith('/orders') ? bought() : { status: 200 },
      );
      const [first, second] = lines.filter(([kind]) => kind === 's' || kind === 'l');
      return { iteration, requests, first: first!, second: second! };
    });

  it('carries values on, thinks and acknowledges', () => {
    const paid = buys.filter(({ second }) => second[0] === 's');
    expect(paid.length).toBeGreaterThan(0);
    for (const { iteration, requests, first, second } of paid) {
      const micros = expect.any(Number) as number;
      expect(first).toEqual(['s', 'load', iteration, 0, 0, micros, micros, 'good', 201, 0]);
      const thought = Number(second[4]) - Number(first[6]);
      expect(thought).toBeGreaterThanOrEqual(10_000);
      expect(thought).toBeLessThanOrEqual(20_000);
      expect(requests[1]!.url).toBe('http://127.0.0.1:8080/shop/orders/o%2F1/pay?t=t%201');
      expect(second.slice(7)).toEqual(['good', 200, 1, 'o/1', 'acked']);
    }
  });

  it('lets go of those who do not convert', () => {
    const gone = buys.filter(({ second }) => second[0] === 'l');
    expect(gone.length).toBeGreaterThan(0);
    for (const { iteration, requests, first, second } of gone) {
      expect(second).toEqual(['l', 'load', iteration, 1, first[6]]);
      expect(requests).toHaveLength(1);
    }
  });

  it.each<[string, Answer, unknown[]]>([
    ['another status', { status: 500, body: 'oh' }, ['status', 500, 1, null, '', expect.any(String), 'oh', 0, '']],
    ['a shed one', { status: 503 }, ['excluded', 503, 1, null, '', expect.any(String), '', 0, '']],
    [
      'no answer',
      { status: 0, error_code: 1212, error: 'refused' },
      ['error', 0, 1, null, '', expect.any(String), '', 1212, 'refused'],
    ],
    [
      'a status that k6 has a code of',
      { status: 500, error_code: 1500 },
      ['status', 500, 1, null, '', expect.any(String), '', 1500, ''],
    ],
    [
      'an answer without what it takes',
      { status: 201, body: '{}' },
      ['body', 201, 1, null, '', expect.any(String), '{}', 0, ''],
    ],
    [
      'an answer that is no JSON',
      { status: 201, body: 'x', headers: { 'x-token': 't' } },
      ['body', 201, 1, null, '', expect.any(String), 'x', 0, ''],
    ],
    [
      'an answer that fails a check',
      { ...bought(), body: '{"order":{"id":1},"items":[0],"text":"total=4"}' },
      ['body', 201, 1, null, '', expect.any(String), expect.any(String), 0, ''],
    ],
  ])('tells %s', (_what, answer, told) => {
    const { lines } = play(compiled, 'load();', 1, () => answer);
    expect(lines.at(-1)!.slice(7)).toEqual(told);
  });

  it('does not run the start that k6 makes beyond the count', () => {
    expect(play(compiled, 'load();', 20, bought)).toEqual({ requests: [], lines: [] });
  });
});

it('runs each journey once as a canary, with the first numbers', () => {
  const { requests, lines } = play(compileK6Canary(spec, TAG), 'canary();', 0, ({ url }) =>
    url.endsWith('/orders') ? bought() : { status: 200 },
  );
  expect(JSON.parse(requests[0]!.body!)).toMatchObject({ id: 'sw1-1000' });
  expect(lines.filter(([kind]) => kind === 'b').map((line) => line.slice(1, 4))).toEqual([
    ['canary', 0, 0],
    ['canary', 1, 1],
  ]);
});
