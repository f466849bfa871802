import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { countStarts, dueMs, type RateSegment } from '../core/rate-curve.ts';
import type { LoadSpec } from '../spi/load.ts';
import type { Scenario } from '../spi/plan.ts';
import { type K6Phase, planK6 } from './k6-plan.ts';

const step = { think: { fromMs: 0, toMs: 0 } };

function specOf(scenario: Partial<Scenario>, steadyMs = 0): LoadSpec {
  const base = {
    executor: 'ramping-arrival-rate',
    warmUpRate: 0,
    warmUpMs: 0,
    mix: [{ journey: 'a', share: 1 }],
    journeys: { a: [step, step] },
    good: { withinMs: 500, journeyWithinMs: undefined, shed: 'bad' },
    inFlightMax: 1000,
  };
  return { scenario: { ...base, ...scenario }, steadyMs, drainMs: 1000 } as unknown as LoadSpec;
}

interface Stage {
  duration: string;
  target: number;
}

/** When k6's ramping executor starts its iterations, in ms from its beginning: as its source computes it. */
function k6Ramping(config: { startRate: number; timeUnit: string; stages: Stage[] }): number[] {
  const unitMs = Number.parseFloat(config.timeUnit) * 1000;
  let from = config.startRate / unitMs;
  let [done, end, stageStart] = [0, 0, 0];
  const times: number[] = [];
  for (const { duration, target } of config.stages) {
    const to = target / unitMs;
    const length = Number.parseFloat(duration);
    end += from === to ? length * to : length * ((to - from) / 2 + from);
    for (let event = times.length + 1; event <= end; event = times.length + 1) {
      const inside = 2 * (event - done) * (to - from);
      const root = Math.sqrt(Math.max(0, length * (from * from * length + inside)));
      times.push(stageStart + (from === to ? (event - done) / to : (from * length - root) / (from - to)));
    }
    done = end;
    from = to;
    stageStart += length;
  }
  return times;
}

const segment = fc.record({
  fromRate: fc.integer({ min: 0, max: 80 }).map((rate) => rate / 4),
  toRate: fc.integer({ min: 0, max: 80 }).map((rate) => rate / 4),
  durationMs: fc.integer({ min: 10, max: 3000 }),
});

/** The nanosecond that is missing counts for most where a curve rises slowly from nothing. */
function toleranceOf(segments: readonly RateSegment[], of: number): number {
  const slopes = segments
    .map(({ fromRate, toRate, durationMs }) => (1000 * Math.abs(toRate - fromRate)) / durationMs)
    .filter((slope) => slope > 0);
  return 0.01 + 1000 * Math.sqrt((2 * of * 1.1e-7) / Math.min(...slopes));
}

/** Every start of a phase: its number over all phases, when it is due, and when k6 makes it. */
function startsOf(phase: K6Phase): { number: number; dueMs: number; madeMs: number }[] {
  const { startTime: _, ...config } = phase.config as unknown as {
    startTime: string;
    startRate: number;
    timeUnit: string;
    stages: Stage[];
  };
  const times = k6Ramping(config);
  expect(times).toHaveLength(phase.count!);
  return times.map((ms, index) => ({
    number: phase.startsBefore + phase.offset + index * phase.stride,
    dueMs: phase.dueMs(index),
    madeMs: phase.beginsMs + ms,
  }));
}

describe('a curve of rates', () => {
  it('starts in k6 when its own closed form says', () => {
    fc.assert(
      fc.property(fc.array(segment, { minLength: 1, maxLength: 4 }), (segments: RateSegment[]) => {
        const count = countStarts(segments);
        fc.pre(count > 0);
        const { phases, beginsMs } = planK6(specOf({ segments }));
        const [load] = phases;
        const { startTime, ...config } = load!.config as unknown as {
          startTime: string;
          startRate: number;
          timeUnit: string;
          stages: Stage[];
        };
        const zeroMs = beginsMs + Number.parseFloat(startTime);
        expect(zeroMs).toBeCloseTo(load!.beginsMs, 6);
        const times = k6Ramping(config).map((ms) => zeroMs + ms);
        expect(load!.count).toBe(count);
        expect(times).toHaveLength(count);
        const tolerance = toleranceOf(segments, 1);
        for (let index = 0; index < count; index++) {
          expect(Math.abs(times[index]! - dueMs(segments, index)!)).toBeLessThan(tolerance);
          expect(load!.dueMs(index)).toBe(dueMs(segments, index)!);
        }
      }),
    );
  });

  it('is cut into stripes that have each start once, as the whole has it', () => {
    fc.assert(
      fc.property(
        fc.array(segment, { minLength: 1, maxLength: 3 }),
        fc.integer({ min: 1, max: 5 }),
        fc.integer({ min: 0, max: 3000 }),
        (segments: RateSegment[], of, steadyMs) => {
          fc.pre(countStarts(segments) > 0);
          const spec = specOf({ segments, warmUpRate: 3 }, steadyMs);
          const whole = planK6(spec).phases.flatMap(startsOf);
          const stripes = Array.from({ length: of }, (_, index) => planK6({ ...spec, stripe: { index, of } }));
          const all = stripes.flatMap(({ phases }) => phases.flatMap(startsOf)).toSorted((a, b) => a.number - b.number);
          expect(all.map(({ number }) => number)).toEqual(whole.map(({ number }) => number));
          for (const [index, { dueMs: due, madeMs }] of all.entries()) {
            expect(due).toBe(whole[index]!.dueMs);
            expect(Math.abs(madeMs - due)).toBeLessThan(toleranceOf(segments, of));
          }
          for (const [index, { phases }] of stripes.entries()) {
            for (const { number } of phases.flatMap(startsOf)) expect(number % of).toBe(index);
          }
        },
      ),
    );
  });

  it('has its warm-up and steady state before t = 0', () => {
    const segments = [{ fromRate: 50, toRate: 50, durationMs: 2000 }];
    const scenario = { executor: 'constant-arrival-rate' as const, segments, warmUpRate: 50, warmUpMs: 1000 };
    const { phases, beginsMs } = planK6(specOf(scenario, 500));
    const [warm, load] = phases;
    expect(beginsMs).toBe(-1509.999999);
    expect(warm).toMatchObject({ name: 'warm', count: 50, startsBefore: 0, beginsMs: -1509.999999 });
    expect(warm!.dueMs(0)).toBe(-1500);
    expect(load).toMatchObject({ name: 'load', count: 100, startsBefore: 50, beginsMs: 0 });
    expect(load!.config).toMatchObject({
      executor: 'constant-arrival-rate',
      rate: 50,
      timeUnit: '1s',
      duration: '2000ms',
      startTime: '1509.999999ms',
      gracefulStop: '1000ms',
    });
  });

  it('has as many users as can be busy within the deadlines, at most those of the cap', () => {
    const usersAt = (rate: number): number => {
      const segments = [{ fromRate: rate, toRate: rate, durationMs: 2000 }];
      return planK6(specOf({ executor: 'constant-arrival-rate', segments })).phases[0]!.users;
    };
    // Two steps of at most 500 ms each.
    expect(usersAt(50)).toBe(52);
    expect(usersAt(5000)).toBe(1000);
  });

  it('says rates that are no whole numbers in a longer unit', () => {
    const segments = [{ fromRate: 2.5, toRate: 2.5, durationMs: 4000 }];
    const { config } = planK6(specOf({ executor: 'constant-arrival-rate', segments })).phases[0]!;
    expect(config).toMatchObject({ rate: 25, timeUnit: '10s' });
  });
});

describe('users', () => {
  it('are k6’s own, from the warm-up on', () => {
    const segments = [
      { fromRate: 0, toRate: 20, durationMs: 3000 },
      { fromRate: 20, toRate: 20, durationMs: 2000 },
    ];
    const scenario = { executor: 'ramping-vus' as const, segments, warmUpRate: 20, warmUpMs: 1000 };
    const { phases, beginsMs } = planK6(specOf(scenario, 500));
    expect(beginsMs).toBe(-1500);
    expect(phases).toHaveLength(1);
    expect(phases[0]!.count).toBeUndefined();
    expect(phases[0]!.config).toEqual({
      executor: 'ramping-vus',
      startVUs: 0,
      stages: [
        { duration: '1000ms', target: 20 },
        { duration: '500ms', target: 20 },
        { duration: '0s', target: 0 },
        { duration: '3000ms', target: 20 },
        { duration: '2000ms', target: 20 },
      ],
      gracefulRampDown: '1000ms',
      gracefulStop: '1000ms',
      exec: 'load',
    });
  });

  it('are as many all the time where there is no warm-up', () => {
    const segments = [{ fromRate: 8, toRate: 8, durationMs: 3000 }];
    const { phases } = planK6(specOf({ executor: 'constant-vus', segments, warmUpRate: 8 }, 500));
    expect(phases[0]!.config).toMatchObject({ executor: 'constant-vus', vus: 8, duration: '3500ms' });
  });
});
