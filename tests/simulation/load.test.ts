import { describe, expect, it } from 'vitest';
import { Histogram } from '../../harness/core/histogram.ts';
import type { LoadWindow } from '../../harness/spi/load.ts';
import { badOf, journeysOf, ok, simulate, specOf, stepOf, sumOf } from './load-world.ts';

const RATE = 100;
const SECONDS = 20;
const STALL_FROM_MS = 8000;
/** Known service times, spread over 5–104 ms and never in order. */
const serviceMs = (index: number): number => 5 + ((index * 37) % 100);

function merged(rows: readonly LoadWindow[], field: 'fromIntended' | 'service'): Histogram {
  const all = new Histogram();
  for (const row of rows) all.merge(Histogram.decode(row[field]));
  return all;
}

/** The value at rank ⌈q·n⌉ of what was computed by hand, in µs. */
function truth(latenciesMs: readonly number[], q: number): number {
  const sorted = [...latenciesMs].sort((a, b) => a - b);
  return sorted[Math.max(1, Math.ceil(q * sorted.length)) - 1]! * 1000;
}

function expectPercentiles(histogram: Histogram, latenciesMs: readonly number[]): void {
  expect(histogram.count).toBe(latenciesMs.length);
  for (const q of [0.01, 0.5, 0.9, 0.99, 0.999, 1]) {
    const exact = truth(latenciesMs, q);
    expect(histogram.quantile(q), `p${q * 100}`).toBeGreaterThanOrEqual(Math.floor(exact));
    expect(histogram.quantile(q), `p${q * 100}`).toBeLessThanOrEqual(Math.ceil(exact * 1.001));
  }
}

describe('a server that stalls', () => {
  const stallsMs = [0, 100, 1000, 5000];

  it.each(stallsMs)(
    'for %d ms: every percentile from the intended start and of service is the computed one',
    (stallMs) => {
      const untilMs = STALL_FROM_MS + stallMs;
      const spec = specOf(RATE, SECONDS, { good: { withinMs: 10_000, journeyWithinMs: undefined, shed: 'bad' } });
      const frozenUntil = (ms: number): number => (ms >= STALL_FROM_MS && ms < untilMs ? untilMs : ms);
      const { windows } = simulate(spec, (_request, sentMs, index) => {
        return { afterMs: frozenUntil(sentMs) - sentMs + serviceMs(index), answer: ok() };
      });
      const latenciesMs = Array.from({ length: RATE * SECONDS }, (_, index) => {
        const dueMs = (index * 1000) / RATE;
        return frozenUntil(dueMs) - dueMs + serviceMs(index);
      });
      const rows = journeysOf(windows);
      expect(sumOf(rows, 'good')).toBe(RATE * SECONDS);
      expectPercentiles(merged(rows, 'fromIntended'), latenciesMs);
      expectPercentiles(merged(rows, 'service'), latenciesMs);
    },
  );

  it.each(stallsMs)(
    'for %d ms: as many samples as without, those past the deadline bad and at it or more',
    (stallMs) => {
      const untilMs = STALL_FROM_MS + stallMs;
      const frozenUntil = (ms: number): number => (ms >= STALL_FROM_MS && ms < untilMs ? untilMs : ms);
      const { windows, failures, executor } = simulate(specOf(RATE, SECONDS), (_request, sentMs, index) => {
        return { afterMs: frozenUntil(sentMs) - sentMs + serviceMs(index), answer: ok() };
      });
      const latenciesMs = Array.from({ length: RATE * SECONDS }, (_, index) => {
        const dueMs = (index * 1000) / RATE;
        return Math.min(1000, frozenUntil(dueMs) - dueMs + serviceMs(index));
      });
      const late = latenciesMs.filter((ms, index) => {
        const dueMs = (index * 1000) / RATE;
        return ms >= 1000 && frozenUntil(dueMs) - dueMs + serviceMs(index) > 1000;
      }).length;
      const rows = journeysOf(windows);
      expect(executor.summary).toEqual({
        scheduled: 2000,
        sent: 2000,
        good: 2000 - late,
        bad: late,
        failuresOmitted: 0,
      });
      expect(rows.reduce((sum, row) => sum + (row.bad.timeout ?? 0), 0)).toBe(late);
      expect(late > 0).toBe(stallMs >= 1000);
      expect(failures).toHaveLength(late);
      expectPercentiles(merged(rows, 'fromIntended'), latenciesMs);
    },
  );

  it('tells the intended starts of the first and last bad one, in the seconds they were intended in', () => {
    const { windows } = simulate(specOf(RATE, SECONDS), (_request, sentMs) => {
      const silent = sentMs >= 8000 && sentMs < 10_500;
      return { afterMs: silent ? undefined : 5, answer: ok() };
    });
    const bad = journeysOf(windows).filter((row) => badOf([row]) > 0);
    const seconds = bad.map((row) => [row.fromMs, badOf([row]), row.firstBadMs, row.lastBadMs]);
    expect(seconds).toEqual([
      [8000, 100, 8000, 8990],
      [9000, 100, 9000, 9990],
      [10_000, 50, 10_000, 10_490],
    ]);
  });
});

describe('a generator that stalls', () => {
  it('sends late what is late, times it from its intended start, and leaves out only what is past its deadline', () => {
    const frozen = [{ fromMs: 5000, toMs: 7000 }];
    const { windows, executor } = simulate(specOf(RATE, 10), () => ({ afterMs: 5, answer: ok() }), frozen);
    const rows = journeysOf(windows);
    // Due from 5000 (that tick was the first one lost) to 5990: more than 1000 ms late at 7000.
    expect(sumOf(rows, 'droppedLate')).toBe(100);
    expect(sumOf(rows, 'scheduled')).toBe(1000);
    expect(executor.summary.sent).toBe(900);
    expect(sumOf(rows, 'good') + badOf(rows)).toBe(900);
    const sixth = rows.filter((row) => row.fromMs === 6000 && row.scheduled > 0);
    expect(sixth).toHaveLength(1);
    // To the histogram's 0.1 %.
    expect(sixth[0]!.latenessP99Ms).toBeCloseTo(990, -0.5);
    expect(merged(sixth, 'fromIntended').max).toBeGreaterThanOrEqual(1_000_000);
    expect(merged(sixth, 'service').max).toBe(5000);
    expect(
      rows.filter((row) => row.fromMs === 5000).reduce((most, row) => Math.max(most, row.latenessP99Ms), 0),
    ).toBeCloseTo(1990, -0.5);
  });
});

describe('the in-flight cap', () => {
  it('makes starts that find it full bad, at their deadline', () => {
    const spec = specOf(RATE, 10, { inFlightMax: 20 });
    const { windows, executor, requests, failures } = simulate(spec, (_request, sentMs) => {
      return { afterMs: sentMs >= 5000 && sentMs < 6000 ? 900 : 5, answer: ok() };
    });
    const rows = journeysOf(windows);
    const dropped = rows.reduce((sum, row) => sum + (row.bad.dropped ?? 0), 0);
    // 20 go out at 5.00–5.19 and come back from 5.90 on; the next 20 fill it again.
    expect(dropped).toBe(70);
    expect(sumOf(rows, 'droppedCap')).toBe(70);
    expect(requests).toHaveLength(930);
    expect(executor.summary).toMatchObject({ scheduled: 1000, sent: 930, good: 930, bad: 70 });
    expect(failures.every((failure) => failure.class === 'dropped' && failure.sentMs === null)).toBe(true);
    expect(
      merged(
        rows.filter((row) => row.fromMs === 5000),
        'fromIntended',
      ).max,
    ).toBe(1_000_000);
    expect(Math.max(...rows.map((row) => row.inFlightMax))).toBe(20);
  });
});

describe('a journey', () => {
  const pay = [
    stepOf('order', { expect: [201], take: { id: { json: '/id' } } }),
    stepOf('pay', { path: '/orders/{id}/pay', ack: '{id}', think: { fromMs: 200, toMs: 200 } }),
    stepOf('receipt'),
  ];
  const base = { mix: [{ journey: 'pay', share: 1 }], journeys: { pay } };
  const answers = (path: string): ReturnType<typeof ok> => (path === '/order' ? ok(201, '{"id":"o-1"}') : ok());

  it('is timed from its scheduled start, each step from the answer before it and its think time', () => {
    const { windows, requests } = simulate(specOf(10, 2, base), (request) => ({
      afterMs: 30,
      answer: answers(request.path),
    }));
    const whole = journeysOf(windows);
    expect(sumOf(whole, 'good')).toBe(20);
    expect(merged(whole, 'fromIntended').max).toBe(290_000);
    for (const step of pay) {
      const rows = windows.filter((row) => row.step === step.name);
      expect(merged(rows, 'fromIntended').max).toBe(30_000);
      expect(sumOf(rows, 'sent')).toBe(20);
    }
    expect(requests.filter((request) => request.path === '/receipt').map(({ sentMs }) => sentMs % 100)).toEqual(
      Array.from({ length: 20 }, () => 60),
    );
    expect(requests.filter((request) => request.path === '/orders/o-1/pay')).toHaveLength(20);
  });

  it('is bad once when a step is, the steps after it abandoned, and never faster than a good one could be', () => {
    const { windows } = simulate(specOf(10, 2, base), (request) => {
      return { afterMs: 30, answer: request.path.endsWith('/pay') ? ok(500) : answers(request.path) };
    });
    const whole = journeysOf(windows);
    expect(badOf(whole)).toBe(20);
    expect(merged(whole, 'fromIntended').quantile(0)).toBeGreaterThanOrEqual(3_200_000);
    expect(
      sumOf(
        windows.filter((row) => row.step === 'receipt'),
        'abandoned',
      ),
    ).toBe(20);
    expect(badOf(windows.filter((row) => row.step === 'pay'))).toBe(20);
    expect(
      sumOf(
        windows.filter((row) => row.step === 'order'),
        'good',
      ),
    ).toBe(20);
  });

  it('that takes longer than journeyWithin is bad though all its steps are good', () => {
    const good = { withinMs: 1000, journeyWithinMs: 250, shed: 'bad' as const };
    const { windows } = simulate(specOf(10, 2, { ...base, good }), (request) => {
      return { afterMs: 30, answer: answers(request.path) };
    });
    expect(journeysOf(windows).reduce((sum, row) => sum + (row.bad.timeout ?? 0), 0)).toBe(20);
    expect(badOf(windows.filter((row) => row.step !== undefined))).toBe(0);
  });

  it.each([
    ['bad', 0, 20],
    ['excluded', 20, 0],
  ] as const)('shed by the system is %s as the plan says', (shed, excluded, bad) => {
    const good = { withinMs: 1000, journeyWithinMs: undefined, shed };
    const { windows } = simulate(specOf(10, 2, { good }), () => ({ afterMs: 3, answer: ok(503) }));
    const rows = journeysOf(windows);
    expect([sumOf(rows, 'excluded'), badOf(rows)]).toEqual([excluded, bad]);
    expect(merged(rows, 'fromIntended').count).toBe(bad);
  });

  it.each([
    ['acked', 30, ok(200)],
    ['refused', 30, ok(409)],
    ['refused', 30, ok(429)],
    ['unknown', 30, ok(408)],
    ['unknown', 30, ok(500)],
    ['unknown', 30, ok(202)],
    ['unknown', undefined, ok(200)],
    ['unknown', 30, { ok: false, class: 'reset', status: 200, body: null }],
  ] as const)('leaves its key %s', (outcome, afterMs, answer) => {
    const { acks } = simulate(specOf(10, 2, base), (request) => {
      return request.path.endsWith('/pay') ? { afterMs, answer } : { afterMs: 30, answer: answers(request.path) };
    });
    expect(acks).toHaveLength(20);
    expect(new Set(acks.map((ack) => ack.outcome))).toEqual(new Set([outcome]));
    expect(
      acks.every((ack) => ack.key === 'o-1' && (ack.answeredMs === null) === (afterMs === undefined || !answer.ok)),
    ).toBe(true);
  });

  it('whose acknowledged step was never sent leaves no key', () => {
    const { acks } = simulate(specOf(10, 2, base), () => ({ afterMs: 30, answer: ok(500) }));
    expect(acks).toEqual([]);
  });

  it('acknowledged by an answer that came late, but came, is bad and acked', () => {
    // The answer lies in the socket while the generator is frozen past the deadline.
    const frozen = [{ fromMs: 100, toMs: 1150 }];
    const step = stepOf('pay', { ack: '{marker}-{n}' });
    const spec = specOf(1, 1, { journeys: { browse: [step] } });
    const { acks, windows } = simulate(spec, () => ({ afterMs: 150, answer: ok() }), frozen);
    expect(acks.map((ack) => [ack.key, ack.outcome])).toEqual([['sw00000000-1', 'acked']]);
    expect(badOf(journeysOf(windows))).toBe(1);
  });

  it('still open at the end of the drain is unfinished and bad', () => {
    const good = { withinMs: 60_000, journeyWithinMs: undefined, shed: 'bad' as const };
    const spec = { ...specOf(10, 2, { good, journeys: { browse: [stepOf('a', { ack: '{n}' })] } }), drainMs: 3000 };
    const { windows, acks, endedMs } = simulate(spec, () => ({ afterMs: undefined, answer: ok() }));
    expect(journeysOf(windows).reduce((sum, row) => sum + (row.bad.unfinished ?? 0), 0)).toBe(20);
    expect(endedMs).toBeLessThan(5010);
    expect(acks.every((ack) => ack.outcome === 'unknown' && ack.answeredMs === null)).toBe(true);
  });
});

describe('windows', () => {
  it('come at the deadline of their second, and late answers in rows that add up', () => {
    const slow = [stepOf('a'), stepOf('b'), stepOf('c')];
    const spec = specOf(10, 3, { journeys: { browse: slow } });
    const { windows } = simulate(spec, () => ({ afterMs: 900, answer: ok() }));
    const rows = journeysOf(windows);
    const first = rows.filter((row) => row.scheduled > 0);
    expect(first.map((row) => [row.fromMs, row.scheduled, row.good])).toEqual([
      [0, 10, 0],
      [1000, 10, 0],
      [2000, 10, 0],
    ]);
    for (const fromMs of [0, 1000, 2000]) {
      expect(
        sumOf(
          rows.filter((row) => row.fromMs === fromMs),
          'good',
        ),
      ).toBe(10);
    }
  });

  it('of warm-up and steady state are negative, in no total, and leave the load’s own schedule as it was', () => {
    const mix = [
      { journey: 'a', share: 0.7 },
      { journey: 'b', share: 0.3 },
    ];
    const journeys = { a: [stepOf('a')], b: [stepOf('b')] };
    const spec = { ...specOf(10, 2, { mix, journeys, warmUpMs: 1300 }), steadyMs: 2000 };
    const { windows, executor } = simulate(spec, () => ({ afterMs: 3, answer: ok() }));
    const rows = journeysOf(windows);
    expect(Math.min(...rows.map((row) => row.fromMs))).toBe(-4000);
    expect(
      sumOf(
        rows.filter((row) => row.fromMs < 0),
        'scheduled',
      ),
    ).toBe(27); // half of 13 while warming, then 20
    expect(executor.summary).toMatchObject({ scheduled: 20, sent: 20, good: 20 });
    const byName = (name: string): number =>
      sumOf(
        rows.filter((row) => row.fromMs >= 0 && row.journey === name),
        'scheduled',
      );
    expect([byName('a'), byName('b')]).toEqual([14, 6]);
  });

  it('have at most 16 labels, journeys first, the rest together', () => {
    const names = Array.from({ length: 10 }, (_, index) => `j${index}`);
    const journeys = Object.fromEntries(names.map((name) => [name, [stepOf('a'), stepOf('b')]]));
    const mix = names.map((journey) => ({ journey, share: 0.1 }));
    const { windows } = simulate(specOf(100, 2, { mix, journeys }), () => ({ afterMs: 3, answer: ok() }));
    const labels = new Set(windows.map((row) => `${row.journey}/${row.step ?? ''}`));
    expect(labels.size).toBeLessThanOrEqual(16);
    expect(labels).toContain('other/other');
    expect(sumOf(journeysOf(windows), 'good')).toBe(200);
    expect(
      sumOf(
        windows.filter((row) => row.step !== undefined),
        'good',
      ),
    ).toBe(400);
  });
});

it('makes the same request k for the same seed, whatever the system’s timing', () => {
  const steps = [
    stepOf('a/{n}/{user}', { headers: { key: '{uuid}' } }),
    stepOf('b/{user}', { body: { id: '{marker}-{n}' } }),
  ];
  const spec = specOf(50, 4, { journeys: { browse: steps } });
  const texts = [3, 450].map((afterMs) => {
    const { requests } = simulate(spec, () => ({ afterMs, answer: ok() }));
    return requests.map(({ method, path, headers, body }) => JSON.stringify([method, path, headers, body])).sort();
  });
  expect(texts[0]).toEqual(texts[1]);
  expect(new Set(texts[0]).size).toBe(400);
  const other = simulate({ ...spec, seed: 2 }, () => ({ afterMs: 3, answer: ok() }));
  expect(other.requests[0]!.path).not.toBe(simulate(spec, () => ({ afterMs: 3, answer: ok() })).requests[0]!.path);
});
