import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { arrivalRandom, poissonDueTimes } from '../../harness/core/arrivals.ts';
import { Histogram } from '../../harness/core/histogram.ts';
import { seeded } from '../../harness/core/random.ts';
import { generatedTable } from '../../harness/core/table.ts';
import { feedOver } from '../../harness/load/feed.ts';
import type { Answer } from '../../harness/load/transport.ts';
import type { LoadSpec, LoadWindow } from '../../harness/spi/load.ts';
import { badOf, journeysOf, ok, simulate, specOf, stepOf, sumOf } from './load-world.ts';

const flat = (height: number, ms: number) => ({ fromRate: height, toRate: height, durationMs: ms });

describe('users (closed model)', () => {
  const users = (count: number, seconds: number, extra: Partial<LoadSpec['scenario']> = {}): LoadSpec =>
    specOf(count, seconds, { executor: 'constant-vus', segments: [flat(count, seconds * 1000)], ...extra });

  it('are as many as asked, each starting anew when its journey has ended, and never one more', () => {
    let most = 0;
    let open = 0;
    const { windows, requests, executor } = simulate(
      users(8, 5),
      () => {
        open++;
        most = Math.max(most, open);
        return { afterMs: 50, answer: ok() };
      },
      [],
      { onAnswer: () => open-- },
    );
    expect(most).toBe(8);
    // 5 s of 50 ms each.
    expect(requests).toHaveLength(8 * 100);
    const rows = journeysOf(windows);
    expect([sumOf(rows, 'scheduled'), sumOf(rows, 'good'), executor.summary.good]).toEqual([800, 800, 800]);
    expect(Math.max(...rows.map((row) => row.inFlightMax))).toBe(8);
    expect(Math.max(...rows.map((row) => row.latenessP99Ms))).toBe(0);
  });

  it('come and go as the stages say', () => {
    const stages = [
      { fromRate: 0, toRate: 10, durationMs: 2000 },
      flat(10, 1000),
      { fromRate: 10, toRate: 0, durationMs: 2000 },
    ];
    const { requests } = simulate(users(10, 5, { executor: 'ramping-vus', segments: stages }), () => ({
      afterMs: 100,
      answer: ok(),
    }));
    const at = (ms: number): number => requests.filter(({ sentMs }) => sentMs >= ms && sentMs < ms + 100).length;
    expect([at(950), at(2500), at(3950)]).toEqual([5, 10, 5]);
    expect(Math.max(...requests.map(({ sentMs }) => sentMs))).toBeLessThan(5000);
  });

  it('warm up before t = 0, and what they do then is in no total', () => {
    const spec = { ...users(4, 2, { warmUpMs: 1000, warmUpRate: 4 }), steadyMs: 1000 };
    const { executor, windows } = simulate(spec, () => ({ afterMs: 100, answer: ok() }));
    expect(Math.min(...windows.map(({ fromMs }) => fromMs))).toBe(-2000);
    expect(executor.summary.scheduled).toBe(
      sumOf(
        journeysOf(windows).filter(({ fromMs }) => fromMs >= 0),
        'scheduled',
      ),
    );
  });

  it('who are refused knock again after a pause, not a thousand times a second', () => {
    const refused = { ok: false, class: 'refused', status: null, body: null } as const;
    const { windows, requests } = simulate(users(5, 2), () => ({ afterMs: 0, answer: refused }));
    expect(requests.length).toBeLessThanOrEqual(5 * 21);
    expect(requests.length).toBeGreaterThanOrEqual(5 * 18);
    expect(badOf(journeysOf(windows))).toBe(requests.length);
  });
});

describe('poisson arrivals', () => {
  const spec = specOf(200, 10, { executor: 'poisson' });

  it('are sent at the times that the seed gives, each once', () => {
    const { requests } = simulate(spec, () => ({ afterMs: 3, answer: ok() }));
    const due = [...poissonDueTimes(spec.scenario.segments, arrivalRandom(spec.seed, spec.scenario.name))];
    expect(requests).toHaveLength(due.length);
    // A tick is a millisecond long.
    const lateMs = requests.map(({ sentMs }, index) => sentMs - due[index]!);
    expect(Math.min(...lateMs)).toBeGreaterThanOrEqual(0);
    expect(Math.max(...lateMs)).toBeLessThanOrEqual(1);
  });
});

describe('segments of one schedule', () => {
  const shape = fc.record({
    executor: fc.constantFrom('constant-arrival-rate' as const, 'ramping-arrival-rate' as const, 'poisson' as const),
    from: fc.integer({ min: 0, max: 120 }),
    to: fc.integer({ min: 10, max: 120 }),
    warmUpMs: fc.integer({ min: 0, max: 900 }),
    of: fc.integer({ min: 2, max: 6 }),
    seed: fc.nat(),
  });

  it('judged together equal one generator’s run: every request, every count, every histogram', () => {
    fc.assert(
      fc.property(shape, ({ executor, from, to, warmUpMs, of, seed }) => {
        const journeys = { a: [stepOf('a/{n}/{user}')], b: [stepOf('b/{n}'), stepOf('c/{uuid}', { conversion: 0.5 })] };
        const mix = [
          { journey: 'a', share: 0.7 },
          { journey: 'b', share: 0.3 },
        ];
        const segments = [{ fromRate: from, toRate: to, durationMs: 1500 }, flat(to, 700)];
        const spec = {
          ...specOf(to, 2, { executor, segments, journeys, mix, warmUpMs, warmUpRate: to }),
          seed,
          steadyMs: 500,
        };
        const run = (stripe?: { index: number; of: number }) =>
          simulate(stripe === undefined ? spec : { ...spec, stripe }, ({ path }) => {
            const service = 3 + (path.length % 17);
            return { afterMs: service, answer: path.startsWith('/a') && path.endsWith('7') ? ok(500) : ok() };
          });
        const one = run();
        const parts = Array.from({ length: of }, (_, index) => run({ index, of }));
        const paths = (runs: typeof parts): string[] =>
          runs.flatMap(({ requests }) => requests.map(({ path, sentMs }) => `${sentMs} ${path}`)).sort();
        expect(paths(parts)).toEqual(paths([one]));
        expect(added(parts.flatMap(({ windows }) => windows))).toEqual(added(one.windows));
      }),
      { numRuns: 25 },
    );
  });

  it('of users have each user once', () => {
    const spec = specOf(7, 1, { executor: 'constant-vus', segments: [flat(7, 1000)] });
    const counts = [0, 1, 2].map(
      (index) =>
        simulate({ ...spec, stripe: { index, of: 3 } }, () => ({ afterMs: 2000, answer: ok() })).requests.length,
    );
    expect(counts).toEqual([3, 2, 2]);
  });
});

describe('a journey with conversion', () => {
  const steps = [stepOf('look'), stepOf('cart', { conversion: 0.3 }), stepOf('pay', { conversion: 0.5 })];
  const spec = specOf(500, 20, { journeys: { browse: steps } });

  it('ends good where its user leaves, in the declared shares, and says how many left', () => {
    const { windows } = simulate(spec, () => ({ afterMs: 2, answer: ok() }));
    const whole = journeysOf(windows);
    expect([sumOf(whole, 'good'), badOf(whole)]).toEqual([10_000, 0]);
    const of = (step: string): LoadWindow[] => windows.filter((row) => row.step === step);
    const [cart, pay] = [sumOf(of('cart'), 'sent'), sumOf(of('pay'), 'sent')];
    // Five standard deviations of a binomial.
    expect(Math.abs(cart - 3000)).toBeLessThan(5 * Math.sqrt(10_000 * 0.3 * 0.7));
    expect(Math.abs(pay - cart / 2)).toBeLessThan(5 * Math.sqrt(cart * 0.25));
    const left = (rows: LoadWindow[]): number => rows.reduce((sum, row) => sum + (row.left ?? 0), 0);
    expect([left(of('look')), left(of('cart')), left(of('pay'))]).toEqual([0, 10_000 - cart, 10_000 - pay]);
    expect(sumOf(windows, 'abandoned')).toBe(0);
  });

  it('goes the same way for the same seed, whatever the timing', () => {
    const paths = [2, 90].map((afterMs) =>
      simulate(spec, () => ({ afterMs, answer: ok() }))
        .requests.map(({ path }) => path)
        .sort(),
    );
    expect(paths[0]).toEqual(paths[1]);
  });
});

it('a step whose check does not hold is bad by it, and the rest abandoned', () => {
  const steps = [
    stepOf('pay/{n}', { checks: [{ of: { json: '/state' }, equals: 'paid' }], take: { id: { header: 'x-id' } } }),
    stepOf('see/{id}'),
  ];
  const { windows, requests } = simulate(specOf(10, 2, { journeys: { browse: steps } }), ({ path }) => {
    const state = /[02468]$/.test(path) ? 'open' : 'paid';
    return {
      afterMs: 2,
      answer: { ...ok(200, JSON.stringify({ state })), headers: ['x-id', `o${path.slice(-2)}`] } as Answer,
    };
  });
  expect(journeysOf(windows).reduce((sum, row) => sum + (row.bad.check ?? 0), 0)).toBe(10);
  expect(requests.filter(({ path }) => /^\/see\/o\S+$/.test(path))).toHaveLength(10);
  expect(sumOf(windows, 'abandoned')).toBe(10);
});

it('thinks as long as its own chance says, within the range, whatever the timing', () => {
  const steps = [stepOf('a'), stepOf('b', { think: { fromMs: 100, toMs: 500 } })];
  const { requests } = simulate(specOf(50, 10, { journeys: { browse: steps } }), () => ({ afterMs: 10, answer: ok() }));
  const first = requests.filter(({ path }) => path === '/a').map(({ sentMs }) => sentMs);
  const second = requests.filter(({ path }) => path === '/b').map(({ sentMs }) => sentMs);
  expect(second).toHaveLength(500);
  const mean = (times: number[]): number => times.reduce((sum, ms) => sum + ms, 0) / times.length;
  expect(mean(second) - mean(first) - 10).toBeGreaterThan(270);
  expect(mean(second) - mean(first) - 10).toBeLessThan(330);
});

describe('a feed', () => {
  const table = generatedTable({ phone: '138{row}', name: 'u{row}' }, 60);
  const journeys = { browse: [stepOf('u/{people.phone}', { body: { name: '{people.name}' } })] };

  it('gives each row once over all segments, and ends the scenario where it runs dry', () => {
    const feeds = new Map([['people', feedOver(table, { order: 'unique', skew: undefined })]]);
    const spec = specOf(20, 10, { journeys });
    const runs = [0, 1, 2].map((index) =>
      simulate({ ...spec, stripe: { index, of: 3 } }, () => ({ afterMs: 2, answer: ok() }), [], { feeds }),
    );
    const paths = runs.flatMap(({ requests }) => requests.map(({ path }) => path));
    expect(new Set(paths).size).toBe(59);
    expect(paths).toHaveLength(59);
    // The first row was the canary's; row 60 would be that of the start at 2.95 s.
    expect(Math.min(...runs.map(({ executor }) => executor.summary.dryAtMs ?? Number.NaN))).toBe(2950);
    const rows = journeysOf(runs.flatMap(({ windows }) => windows));
    expect([sumOf(rows, 'scheduled'), sumOf(rows, 'good')]).toEqual([59, 59]);
  });

  it('that goes round begins again, and a random one draws the same for the same seed', () => {
    const spec = specOf(20, 6, { journeys });
    const round = simulate(spec, () => ({ afterMs: 2, answer: ok() }), [], {
      feeds: new Map([['people', feedOver(table, { order: 'circular', skew: undefined })]]),
    });
    expect(round.requests[60]!.path).toBe(round.requests[0]!.path);
    expect(round.requests).toHaveLength(120);
    const random = [2, 40].map((afterMs) =>
      simulate(spec, () => ({ afterMs, answer: ok() }), [], {
        feeds: new Map([['people', feedOver(table, { order: 'random', skew: undefined })]]),
      }).requests.map(({ path }) => path),
    );
    expect(random[0]!.sort()).toEqual(random[1]!.sort());
    expect(new Set(random[0]).size).toBeGreaterThan(30);
  });
});

/** Rows of the same key added up; histograms merged. Which rows a count came in is a matter of timing, its sum is not. */
function added(windows: readonly LoadWindow[]): unknown {
  const keyed = new Map<string, { counts: Record<string, number>; fromIntended: Histogram; service: Histogram }>();
  for (const row of windows) {
    const key = `${row.journey}/${row.step ?? ''}/${row.fromMs}`;
    const sum = keyed.get(key) ?? { counts: {}, fromIntended: new Histogram(), service: new Histogram() };
    keyed.set(key, sum);
    const { scheduled, sent, droppedCap, droppedLate, abandoned, good, excluded, left = 0 } = row;
    for (const [name, count] of Object.entries({
      scheduled,
      sent,
      droppedCap,
      droppedLate,
      abandoned,
      good,
      excluded,
      left,
      ...row.bad,
    })) {
      sum.counts[name] = (sum.counts[name] ?? 0) + count;
    }
    sum.fromIntended.mergeEncoded(row.fromIntended);
    sum.service.mergeEncoded(row.service);
  }
  return [...keyed]
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([key, { counts, fromIntended, service }]) => [key, counts, fromIntended.encode(), service.encode()]);
}

it('the seeds of arrivals and of anything else do not meet', () => {
  expect(arrivalRandom(1, 'sale').next()).not.toBe(seeded('1/load/sale').next());
});
