import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { CATALOGUE } from '../../tests/support/plan-catalogue.ts';
import { arrivalRandom, countPoisson } from '../core/arrivals.ts';
import type { LoadDriver } from '../spi/load.ts';
import type { Plan, Scenario } from '../spi/plan.ts';
import type { Timeline } from '../spi/timeline.ts';
import { compile } from './compile.ts';
import { explain } from './explain.ts';
import type { LoadWorld } from './load.ts';
import { validatePlan } from './validate.ts';

const FILES: Record<string, string> = {
  '/p/day.csv': 'time,rate\n00:00,10\n12:00,40\n24:00,20\n',
  '/p/users.csv': 'id,seller\n1,s1\n2,s2\n',
  '/p/own.js': 'export default () => {};',
};

/** A plan against a URL, as small as it can be. */
const planOf = (scenario: string, more = '', steps = '{ GET: / }') => `
plan: site
hypothesis: The site answers at its usual rate.
stack: { existing: { site: "http://127.0.0.1:8080" }, journeys: { home: [${steps}] } }
load:
  - { scenario: users, ${scenario}, good: { within: 300ms } }
guard: ${more === '' ? 'none' : more}
verify: [availability: { of: users, target: 99% }]
`;

function check(text: string): { plan: Plan; warnings: string[] } {
  const world: LoadWorld = {
    environment: {},
    exists: (file) => file in FILES,
    read: (file) => (file === '/p/plan.yaml' ? text : FILES[file]!),
  };
  const result = validatePlan('/p/plan.yaml', {}, CATALOGUE, world);
  if ('issues' in result) throw new Error(result.issues.map(({ message }) => message).join('\n'));
  return { plan: result.plan, warnings: result.warnings.map(({ message }) => message) };
}

const scenarioOf = (scenario: string, steps?: string): Scenario => check(planOf(scenario, '', steps)).plan.load[0]!;

function timelineOf(text: string, seed = 1): Timeline {
  const never = () => Promise.reject(new Error('compile starts nothing'));
  const native: LoadDriver = { name: 'native', detect: never, accepts: () => ({ ok: true }), start: never };
  const capabilities = { runtime: 'existing', powers: [], proxy: undefined, versions: {} };
  return compile(check(text).plan, capabilities, seed, CATALOGUE, { fault: [], load: [native] });
}

describe('a plan of a few lines against a URL', () => {
  it('needs no entry, no executor and no mix where there is one of each', () => {
    const { plan } = check(planOf('rate: 50/s, for: 60s'));
    expect(plan.stack.entry).toBe('site');
    expect(plan.load[0]).toMatchObject({
      executor: 'constant-arrival-rate',
      engine: 'native',
      mix: [{ journey: 'home', share: 1 }],
      segments: [{ fromRate: 50, toRate: 50, durationMs: 60_000 }],
    });
  });
});

describe('the executor', () => {
  it.each([
    ['rate: 5/s, for: 1s', 'constant-arrival-rate'],
    ['users: { daily: 1M, peakShare: 10% }, for: 1s', 'constant-arrival-rate'],
    ['stages: [{ to: 5/s, over: 1s }]', 'ramping-arrival-rate'],
    ['curve: { preset: soak, rate: 5/s, for: 1h }', 'ramping-arrival-rate'],
    ['vus: 64, for: 1s', 'constant-vus'],
    ['stages: [{ to: 64, over: 1s }]', 'ramping-vus'],
    ['executor: poisson, stages: [{ to: 5/s, over: 1s }]', 'poisson'],
  ])('of %s is %s', (traffic, executor) => {
    expect(scenarioOf(traffic).executor).toBe(executor);
  });

  it('with users has as many as the pieces say, and starts that nobody knows before', () => {
    const text = planOf('stages: [{ to: 64, over: 10s }, { hold: 20s }]', 'abortWhen');
    const guarded = text.replace(
      'guard: abortWhen',
      'guard: { blastRadius: none, abortWhen: [{ of: users, bad: 5%, over: 5s }] }',
    );
    const timeline = timelineOf(guarded);
    expect(timeline.plan.load[0]!.segments).toEqual([
      { fromRate: 0, toRate: 64, durationMs: 10_000 },
      { fromRate: 64, toRate: 64, durationMs: 20_000 },
    ]);
    expect(timeline.scenarios[0]!.starts).toBeUndefined();
    expect(timeline.scenarios[0]!.startsByJourney).toBeUndefined();
    expect(timeline.checks[0]!.sampleExpected).toBeUndefined();
    const page = explain(timeline);
    expect(page).toContain('users: 0 users → 64 users for 10s');
    expect(page).toContain('as many as the answers allow in 30s: home 100%');
    expect(page).toContain('how many this plan starts is not known before the run');
    expect(page).toContain('of how many, the answers decide');
  });

  it('with Poisson arrivals has the starts that its seed gives', () => {
    const text = planOf('executor: poisson, rate: 50/s, for: 60s');
    const counts = [1, 2].map((seed) => timelineOf(text, seed).scenarios[0]!.starts);
    const flat = [{ fromRate: 50, toRate: 50, durationMs: 60_000 }];
    expect(counts).toEqual([1, 2].map((seed) => countPoisson(flat, arrivalRandom(seed, 'users'))));
    expect(new Set(counts).size).toBe(2);
    expect(check(text).warnings).toEqual([]);
  });
});

describe('models of a day', () => {
  it('give a rate from daily users', () => {
    const { segments } = scenarioOf('users: { daily: 1.2M, sessionsPerDay: 3, peakShare: 10% }, for: 60s');
    expect(segments).toEqual([{ fromRate: 100, toRate: 100, durationMs: 60_000 }]);
    expect(
      explain(timelineOf(planOf('users: { daily: 1.2M, sessionsPerDay: 3, peakShare: 10% }, for: 60s'))),
    ).toContain('users: 100/s for 1m');
  });

  it('scale a recorded curve by 6.5, or by what is asked', () => {
    const { segments } = scenarioOf('curve: { preset: sale-6.5x, recorded: day.csv, for: 120s }');
    expect(segments.map(({ fromRate, toRate }) => [fromRate, toRate])).toEqual([
      [65, 260],
      [260, 130],
    ]);
    expect(segments[0]!.durationMs).toBeCloseTo(60_000, 0);
    expect(scenarioOf('curve: { preset: sale-6.5x, recorded: day.csv, factor: 0.5, for: 120s }').warmUpRate).toBe(5);
  });

  it('of many pieces are told in one line', () => {
    const page = explain(timelineOf(planOf('curve: { preset: midnight-spike, base: 20/s, peak: 200/s, for: 100s }')));
    expect(page).toMatch(/users: a curve of \d+ pieces for 1m 40s|users: a curve of \d+ pieces for 100s/);
    expect(page).toContain('20/s at first, at most 200/s at 21s');
  });
});

describe('feeds', () => {
  const feeds =
    'feeds: { users: { csv: users.csv, skew: { zipf: 1.1, whales: { column: seller, times: { s1: 100 } } } } }';

  it('are found, read and handed on with absolute paths', () => {
    const scenario = scenarioOf(`rate: 5/s, for: 60s, ${feeds}`, '{ GET: "/u/{users.id}" }');
    expect(scenario.feeds).toEqual({
      users: {
        source: { csv: '/p/users.csv' },
        order: 'random',
        skew: { zipf: 1.1, whales: { column: 'seller', times: { s1: 100 } } },
        contents: expect.stringMatching(/^[0-9a-f]{64}$/),
      },
    });
    const page = explain(timelineOf(planOf(`rate: 5/s, for: 60s, ${feeds}`, '', '{ GET: "/u/{users.id}" }')));
    expect(page).toContain('feed users: users.csv, random, Zipf 1.1, s1 × 100');
  });

  it('may be made of a template, and need as many rows as there are starts', () => {
    const made = (rows: number) =>
      `rate: 5/s, for: 60s, warmUp: 0s, feeds: { u: { generate: { id: "u{row}" }, rows: ${rows}, order: unique } }`;
    // One of the preflight, 25 of the steady state, 300 of the load.
    expect(scenarioOf(made(326), '{ GET: "/u/{u.id}" }').feeds!.u!.source).toEqual({
      generate: { id: 'u{row}' },
      rows: 326,
    });
    expect(() => scenarioOf(made(325), '{ GET: "/u/{u.id}" }')).toThrow('325 rows, and 326 starts');
    const users = made(1).replace('rate: 5/s', 'vus: 5');
    expect(scenarioOf(users, '{ GET: "/u/{u.id}" }').feeds!.u!.order).toBe('unique');
  });
});

describe('steps', () => {
  it('take from anywhere in an answer, check it, think for a while, and lose a share of their users', () => {
    const steps = `
      { POST: /login, take: { id: /id, csrf: { regex: 'csrf="([^"]+)"' }, next: { header: location }, sid: { cookie: sid } } },
      { GET: /cart, think: { from: 1s, to: 3s }, continue: 30%, check: [{ json: /state, equals: 7 }, { header: etag, matches: "^W/" }, { json: /items }] },
      { GET: /pay, think: 2s, continue: 50% }`;
    const [login, cart, pay] = scenarioOf('rate: 5/s, for: 60s', steps).journeys.home!;
    expect(login!.take).toEqual({
      id: { json: '/id' },
      csrf: { regex: 'csrf="([^"]+)"' },
      next: { header: 'location' },
      sid: { cookie: 'sid' },
    });
    expect(login).toMatchObject({ checks: [], think: { fromMs: 0, toMs: 0 }, conversion: 1 });
    expect(cart!.checks).toEqual([
      { of: { json: '/state' }, equals: '7' },
      { of: { header: 'etag' }, matches: '^W/' },
      { of: { json: '/items' } },
    ]);
    expect(cart).toMatchObject({ think: { fromMs: 1000, toMs: 3000 }, conversion: 0.3 });
    expect(pay).toMatchObject({ think: { fromMs: 2000, toMs: 2000 }, conversion: 0.5 });
    expect(explain(timelineOf(planOf('rate: 5/s, for: 60s', '', steps)))).toContain(
      'home, if all is good: POST /login 100% → GET /cart 30% → GET /pay 15%',
    );
  });
});

describe('engines', () => {
  it('are named by one word, with a script of one’s own for k6, which needs no mix', () => {
    const scenario = scenarioOf('rate: 5/s, for: 60s, engine: k6, script: own.js');
    expect(scenario).toMatchObject({ engine: 'k6', script: '/p/own.js', mix: [{ journey: 'script', share: 1 }] });
    expect(scenarioOf('vus: 64, for: 60s, engine: autocannon').engine).toBe('autocannon');
    expect(scenarioOf('rate: 5/s, for: 60s, threads: 2').threads).toBe(2);
    const proxied = (host: string) => `rate: 5/s, for: 60s, http: { version: 2, proxy: "http://${host}:3128" }`;
    expect(scenarioOf(proxied('127.0.0.1')).http).toEqual({ version: 2, proxy: 'http://127.0.0.1:3128' });
    expect(() => scenarioOf(proxied('192.0.2.7'))).toThrow('192.0.2.7 is neither loopback nor allowed');
  });
});

describe('regions', () => {
  const regions =
    'regions: { near: { share: 70%, rtt: 20ms, jitter: 2ms }, far: { share: 30%, rtt: 80ms, bandwidth: 8Mbit/s } }';
  const traffic = `rate: 10/s, for: 60s, ${regions}`;

  it('are resolved, and explained with what each of them starts', () => {
    expect(scenarioOf(traffic).regions).toEqual([
      { name: 'near', share: 0.7, rttMs: 20, jitterMs: 2, bytesPerSecond: undefined, lossRatio: 0 },
      { name: 'far', share: 0.3, rttMs: 80, jitterMs: 0, bytesPerSecond: 1_000_000, lossRatio: 0 },
    ]);
    const page = explain(timelineOf(planOf(traffic)));
    expect(page).toContain('from near: 70%, about 420 starts, 20ms ± 2ms more a round trip');
    expect(page).toContain('from far: 30%, about 180 starts, 80ms more a round trip, 1,000 KB/s a connection');
  });

  it('have their part of the samples of a check that names one', () => {
    const text = planOf(traffic).replace('of: users,', 'of: users, region: far,');
    expect(check(text).warnings).toEqual([
      expect.stringContaining('users from far starts 180 journeys, and availability cannot pass with fewer than 299'),
    ]);
    expect(timelineOf(text).checks[0]).toMatchObject({ sampleNeeded: 299, sampleExpected: 180 });
  });
});

describe('the digest', () => {
  const digestOf = (scenario: string, files: Record<string, string>): string => {
    const before = { ...FILES };
    Object.assign(FILES, files);
    try {
      return timelineOf(planOf(scenario, '', '{ GET: "/u/{users.id}" }')).digest;
    } finally {
      Object.assign(FILES, before);
    }
  };

  it('of the same plan with other rows in a feed is another, and with the same rows the same', () => {
    const csv = 'rate: 5/s, for: 60s, feeds: { users: { csv: users.csv } }';
    const jsonLines = 'rate: 5/s, for: 60s, feeds: { users: { jsonLines: users.csv } }';
    const one = digestOf(csv, {});
    expect(digestOf(csv, {})).toBe(one);
    expect(digestOf(csv, { '/p/users.csv': 'id,seller\n1,s1\n3,s2\n' })).not.toBe(one);
    const lines = digestOf(jsonLines, { '/p/users.csv': '{"id":1}\n' });
    expect(digestOf(jsonLines, { '/p/users.csv': '{"id":2}\n' })).not.toBe(lines);
  });
});

describe('a script', () => {
  const plan = (load: string) => `
plan: script-alone
hypothesis: The site answers what the script asks.
stack: { existing: { site: "http://127.0.0.1:8080" } }
load: [{ scenario: users, ${load}, for: 10s, good: { within: 300ms } }]
guard: none
verify: [availability: { of: users, target: 99% }]
`;

  it('needs no journeys in the stack; its text is in the plan’s digest', () => {
    const { plan: checked } = check(plan('engine: k6, script: own.js, rate: 5/s'));
    expect(checked.load[0]).toMatchObject({ script: '/p/own.js', mix: [{ journey: 'script', share: 1 }] });
    expect(checked.load[0]!.scriptContents).toMatch(/^[0-9a-f]{64}$/);
  });

  it('is not needed where there are journeys, but one of them is', () => {
    expect(() => check(plan('rate: 5/s'))).toThrow('there is nothing to send: the stack has no `journeys`');
  });
});

describe('a replay', () => {
  it('lasts as long as what is left of the recording after warm-up and steady state, at its mean rate', () => {
    const scenario = scenarioOf('recording: day.swr, speed: 2, sessions: 3, warmUp: 5s, sign: sign.mjs');
    // Ten minutes at 100/s, in half the time, three times over; the plan's steady state is 5 s.
    expect(scenario).toMatchObject({
      executor: 'replay',
      replay: { recording: '/p/day.swr', speed: 2, sessions: 3, sign: '/p/sign.mjs' },
      mix: [{ journey: 'replay', share: 1 }],
      warmUpMs: 5000,
      segments: [{ fromRate: 600, toRate: 600, durationMs: 290_000 }],
    });
    expect(scenarioOf('recording: day.swr').warmUpMs).toBe(0);
  });

  it('of less than that is an issue', () => {
    expect(() => scenarioOf('recording: day.swr, speed: 100, warmUp: 30s')).toThrow('the recording lasts 6s');
  });
});

/** Scenarios put together from keys and values of the language, mostly the wrong ones. */
const nearlyScenarios = fc
  .uniqueArray(
    fc.oneof(
      fc.constantFrom(
        'executor: poisson',
        'executor: constant-vus',
        'executor: replay',
        'rate: 5/s',
        'rate: 5',
        'rate: 0/s',
        'vus: 3',
        'vus: 0',
        'for: 10s',
        'for: 0s',
        'stages: [{ to: 5/s, over: 1s }]',
        'stages: [{ to: 5, over: 0s }, { hold: 1s }]',
        'stages: []',
        'curve: { preset: soak, rate: 5/s, for: 1s, rise: 2s }',
        'curve: { preset: midnight-spike, base: 1/s, peak: 2/s, for: 1s, halfLife: 0s }',
        'curve: { preset: sale-6.5x, recorded: day.csv, for: 0s }',
        'curve: { preset: sale-6.5x, recorded: users.csv, for: 1s }',
        'users: { daily: 5k, peakShare: 100% }',
        'users: { daily: 0 }',
        'recording: day.csv',
        'speed: 0',
        'feeds: { u: { csv: users.csv, order: unique } }',
        'feeds: { u: { csv: users.csv, skew: { zipf: 9 } } }',
        'feeds: { u: { jsonLines: day.csv } }',
        'feeds: [1]',
        'mix: { home: 100% }',
        'mix: {}',
        'warmUp: 0s',
        'engine: k6',
        'script: own.js',
        'threads: 0',
      ),
      fc.constantFrom('rate: 5/s', 'for: 10s'),
    ),
    { minLength: 1, maxLength: 6, selector: (entry) => entry.split(':')[0]! },
  )
  .map((entries) => planOf(entries.join(', ')));

describe('whatever a scenario says', () => {
  it('it is a plan with load, or has issues that each have a place', () => {
    let [valid, wrong] = [0, 0];
    fc.assert(
      fc.property(nearlyScenarios, (text) => {
        const world: LoadWorld = {
          environment: {},
          exists: (file) => file in FILES,
          read: (file) => (file === '/p/plan.yaml' ? text : FILES[file]!),
        };
        const result = validatePlan('/p/plan.yaml', {}, CATALOGUE, world);
        if ('issues' in result) wrong++;
        else valid++;
        const sound =
          'issues' in result
            ? result.issues.length > 0 && result.issues.every(({ line, column }) => line >= 1 && column >= 1)
            : result.plan.load.every(({ segments, warmUpRate }) => segments.length > 0 && warmUpRate > 0);
        expect(sound).toBe(true);
      }),
      { numRuns: 500, seed: 10 },
    );
    expect(valid).toBeGreaterThan(10);
    expect(wrong).toBeGreaterThan(100);
  });
});
