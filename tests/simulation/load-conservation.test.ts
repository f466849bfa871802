import fc from 'fast-check';
import { expect, it } from 'vitest';
import type { Answer } from '../../harness/load/transport.ts';
import type { LoadSpec } from '../../harness/spi/load.ts';
import { badOf, journeysOf, ok, simulate, specOf, stepOf, sumOf } from './load-world.ts';

const ANSWERS: readonly Answer[] = [
  ok(),
  ok(),
  ok(),
  ok(500),
  ok(503),
  ok(404),
  ok(200, 'not json'),
  { ok: false, class: 'reset', status: null, body: null },
  { ok: false, class: 'refused', status: null, body: null },
];

const span = fc
  .record({ fromMs: fc.integer({ min: -500, max: 4000 }), forMs: fc.integer({ min: 1, max: 2500 }) })
  .map(({ fromMs, forMs }) => ({ fromMs, toMs: fromMs + forMs }));

const segment = fc.record({
  fromRate: fc.integer({ min: 0, max: 60 }),
  toRate: fc.integer({ min: 0, max: 60 }),
  durationMs: fc.integer({ min: 0, max: 2500 }),
});

const steps = fc.array(fc.record({ thinkMs: fc.integer({ min: 0, max: 400 }), takes: fc.boolean() }), {
  minLength: 1,
  maxLength: 3,
});

const plan = fc.record({
  segments: fc.array(segment, { minLength: 1, maxLength: 3 }),
  warmUpMs: fc.integer({ min: 0, max: 800 }),
  weights: fc.array(fc.tuple(fc.integer({ min: 1, max: 9 }), steps), { minLength: 1, maxLength: 4 }),
  withinMs: fc.integer({ min: 1, max: 1500 }),
  journeyWithinMs: fc.option(fc.integer({ min: 1, max: 2000 }), { nil: undefined }),
  shed: fc.constantFrom('bad' as const, 'excluded' as const),
  inFlightMax: fc.integer({ min: 1, max: 80 }),
  drainMs: fc.integer({ min: 0, max: 3000 }),
  serviceMs: fc.array(fc.option(fc.integer({ min: 0, max: 1800 }), { nil: undefined, freq: 8 }), {
    minLength: 1,
    maxLength: 12,
  }),
  answers: fc.array(fc.constantFrom(...ANSWERS), { minLength: 1, maxLength: 9 }),
  frozen: fc.option(span, { nil: undefined }),
});

type Drawn = typeof plan extends fc.Arbitrary<infer T> ? T : never;

function specFrom(drawn: Drawn): LoadSpec {
  const total = drawn.weights.reduce((sum, [weight]) => sum + weight, 0);
  const mix = drawn.weights.map(([weight], index) => ({ journey: `j${index}`, share: weight / total }));
  const journeys = Object.fromEntries(
    drawn.weights.map(([, parts], journey) => [
      `j${journey}`,
      parts.map(({ thinkMs, takes }, index) =>
        stepOf(`s${index}`, {
          think: { fromMs: thinkMs, toMs: thinkMs },
          ack: '{marker}-{n}',
          take: takes ? { id: { json: '/id' } } : {},
        }),
      ),
    ]),
  );
  const { withinMs, journeyWithinMs, shed, segments, warmUpMs, inFlightMax, drainMs } = drawn;
  const good = { withinMs, journeyWithinMs, shed };
  return { ...specOf(20, 1, { segments, warmUpMs, mix, journeys, good, inFlightMax }), drainMs };
}

it('loses no start: scheduled = good + bad + excluded + droppedLate, for whole journeys and for every step', () => {
  fc.assert(
    fc.property(plan, (drawn) => {
      const spec = specFrom(drawn);
      const { windows, executor, requests, acks } = simulate(
        spec,
        (_request, _sentMs, index) => ({
          afterMs: drawn.serviceMs[index % drawn.serviceMs.length],
          answer: drawn.answers[index % drawn.answers.length]!,
        }),
        drawn.frozen === undefined ? [] : [drawn.frozen],
      );
      const whole = journeysOf(windows);
      const settled = (rows: typeof windows): number =>
        sumOf(rows, 'good') + badOf(rows) + sumOf(rows, 'excluded') + sumOf(rows, 'droppedLate');
      expect(settled(whole)).toBe(sumOf(whole, 'scheduled'));
      const load = whole.filter((row) => row.fromMs >= 0);
      expect(executor.summary.scheduled).toBe(sumOf(load, 'scheduled'));
      expect(executor.summary.good).toBe(sumOf(load, 'good'));
      expect(executor.summary.bad).toBe(badOf(load));
      expect(
        sumOf(
          windows.filter((row) => row.step !== undefined),
          'sent',
        ),
      ).toBe(requests.length);
      expect(acks).toHaveLength(requests.length);
      expect(executor.inFlight).toBe(0);
      const stepRows = windows.filter((row) => row.step !== undefined);
      const perStep = settled(stepRows) + sumOf(stepRows, 'abandoned');
      const starts = whole.reduce(
        (sum, row) => sum + row.scheduled * (spec.scenario.journeys[row.journey]?.length ?? 0),
        0,
      );
      // 4 journeys of 3 steps are 16 labels: none is among the rest.
      expect(perStep).toBe(starts);
    }),
    { numRuns: 60, seed: 20_261_111 },
  );
});
