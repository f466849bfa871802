import fc from 'fast-check';
import { expect, it } from 'vitest';
import { countStarts } from '../core/rate-curve.ts';
import { Pacer } from './pacer.ts';

interface DueStart {
  index: number;
  dueMs: number;
  warmUp: boolean;
}

function taken(pacer: Pacer, untilMs: number): DueStart[] {
  const starts: DueStart[] = [];
  while (pacer.take(untilMs)) starts.push({ index: pacer.index, dueMs: pacer.dueMs, warmUp: pacer.warmUp });
  return starts;
}

const flat = (rate: number, ms: number) => ({ fromRate: rate, toRate: rate, durationMs: ms });

it('gives warm-up and steady state before t = 0 and the load from it, each start at its own time', () => {
  const pacer = new Pacer({ segments: [flat(10, 1000)], warmUpRate: 5, warmUpMs: 400 }, { steadyMs: 600 });
  const starts = taken(pacer, Number.POSITIVE_INFINITY);
  expect(starts.filter((start) => start.warmUp).map((start) => start.dueMs)).toEqual([-1000, -600, -400, -200]);
  expect(starts.filter((start) => !start.warmUp).map((start) => start.dueMs)).toEqual(
    Array.from({ length: 10 }, (_, index) => index * 100),
  );
  expect(starts.map((start) => start.index)).toEqual(Array.from({ length: 14 }, (_, index) => index));
  expect(pacer.exhausted).toBe(true);
  expect(pacer.endMs).toBe(1000);
});

it('gives the same starts whatever the times it is asked at, none early, none twice', () => {
  const segment = fc.record({
    fromRate: fc.integer({ min: 0, max: 300 }),
    toRate: fc.integer({ min: 0, max: 300 }),
    durationMs: fc.integer({ min: 0, max: 1500 }),
  });
  const asked = fc.array(fc.integer({ min: 1, max: 700 }), { minLength: 1, maxLength: 40 });
  fc.assert(
    fc.property(fc.array(segment, { minLength: 1, maxLength: 4 }), asked, (segments, gaps) => {
      const scenario = { segments, warmUpRate: 7, warmUpMs: 300 };
      const once = taken(new Pacer(scenario, { steadyMs: 200 }), Number.POSITIVE_INFINITY);
      const pacer = new Pacer(scenario, { steadyMs: 200 });
      const given: DueStart[] = [];
      let ms = -500;
      for (const gap of gaps) {
        for (const start of taken(pacer, ms)) {
          expect(start.dueMs).toBeLessThanOrEqual(ms);
          given.push(start);
        }
        ms += gap;
      }
      given.push(...taken(pacer, Number.POSITIVE_INFINITY));
      expect(given).toEqual(once);
      expect(once.filter((start) => !start.warmUp)).toHaveLength(countStarts(segments));
      expect(pacer.exhausted).toBe(true);
    }),
    { numRuns: 60 },
  );
});
