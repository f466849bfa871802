import { join } from 'node:path';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { seeded } from '../../harness/core/random.ts';
import { worstCase } from '../../harness/plan/blast.ts';
import { takenBy } from '../../harness/plan/budget.ts';
import { type ExploreOptions, explore, type Trial, whatItProves } from '../../harness/plan/explore-loop.ts';
import { type Bounds, drawSchedule, scheduleFits } from '../../harness/plan/explore-schedule.ts';
import { shrink, simplerThan } from '../../harness/plan/explore-shrink.ts';
import { NOT_DRAWN, SIZES } from '../../harness/plan/explore-sizes.ts';
import { type Schedule, type ScheduledFault, type Space, spaceOf } from '../../harness/plan/explore-space.ts';
import { trialText } from '../../harness/plan/explore-text.ts';
import { realWorld } from '../../harness/plan/load.ts';
import { validatePlan } from '../../harness/plan/validate.ts';
import type { FaultDriver } from '../../harness/spi/fault.ts';
import type { Plan } from '../../harness/spi/plan.ts';
import { ROOT } from '../support/cli.ts';
import { CATALOGUE } from '../support/plan-catalogue.ts';

const DARK = join(ROOT, 'plans/lose-a-data-centre.yaml');
const TWO_WAYS = join(ROOT, 'fixtures/plans/two-ways.yaml');
const BOUNDS: Bounds = {
  ...{ firstMs: 3000, lastMs: 60_000, holdMinMs: 2000, holdMaxMs: 15_000, healMs: 3000, faultsMax: 6 },
};
/** Takes everything but packet loss. */
const DRIVER = {
  name: 'any',
  accepts: ({ kind }: { kind: string }) =>
    kind === 'link.loss' ? { ok: false, reason: 'no', hint: 'none' } : { ok: true },
} as unknown as FaultDriver;
const CAPABILITIES = { runtime: 'fake', powers: [], proxy: undefined, versions: {} };

function planAt(file: string, text?: string): Plan {
  const read = (path: string): string => (path === file && text !== undefined ? text : realWorld.read(path));
  const result = validatePlan(file, {}, CATALOGUE, { ...realWorld, read });
  if ('issues' in result)
    throw new Error(result.issues.map(({ message, path }) => `${path.join('.')}: ${message}`).join('\n'));
  return result.plan;
}

const spaceFor = (plan: Plan): Space => spaceOf(plan, CAPABILITIES, CATALOGUE, [DRIVER]);
const shop = planAt(DARK);
const space = spaceFor(shop);
const seeds = fc.integer({ min: 0, max: 2 ** 31 });

const textOf = (schedule: Schedule): string =>
  trialText(realWorld.read(DARK), {
    ...{ name: 'trial', hypothesis: 'It holds.', schedule, convergeMs: 10_000, loadMs: 130_000, overrides: {} },
    scenarios: shop.load.map(({ name }) => name),
  });

describe('sizes', () => {
  it('are known for every kind of fault, or it is said why not', () => {
    const known = [...Object.keys(SIZES), ...Object.keys(NOT_DRAWN)].toSorted();
    expect(known).toEqual(Object.keys(CATALOGUE.faults).toSorted());
  });

  it.each(Object.keys(SIZES))('of %s are always such as it takes', (kind) => {
    const { params } = CATALOGUE.faults[kind]!;
    expect(params.parse(SIZES[kind]!.plain)).toMatchObject({ ok: true });
    for (let seed = 0; seed < 200; seed++) {
      const drawn = SIZES[kind]!.draw(seeded(seed));
      expect([drawn, params.parse(drawn)]).toMatchObject([{}, { ok: true }]);
    }
  });
});

describe('a drawn schedule', () => {
  it('is the same for the same seed', () => {
    fc.assert(
      fc.property(seeds, (seed) => {
        expect(drawSchedule(seed, space, BOUNDS)).toEqual(drawSchedule(seed, spaceFor(shop), BOUNDS));
      }),
      { numRuns: 50 },
    );
    const drawn = Array.from({ length: 30 }, (_unused, seed) => JSON.stringify(drawSchedule(seed, space, BOUNDS)));
    expect(new Set(drawn).size).toBeGreaterThan(25);
  });

  it('makes a valid plan', () => {
    fc.assert(
      fc.property(seeds, (seed) => {
        const schedule = drawSchedule(seed, space, BOUNDS);
        const plan = planAt(DARK, textOf(schedule));
        expect(plan.faults.map(({ name, atMs, forMs }) => ({ name, atMs, forMs }))).toEqual(
          schedule.map(({ name, atMs, forMs }) => ({ name, atMs, forMs })),
        );
      }),
      { numRuns: 40 },
    );
  });

  it('never takes more at one moment than the guard allows and the stack claims to survive', () => {
    let several = 0;
    fc.assert(
      fc.property(seeds, (seed) => {
        const schedule = drawSchedule(seed, space, BOUNDS);
        for (const { atMs } of schedule) {
          const now = schedule.filter((one) => one.atMs <= atMs && atMs < one.atMs + one.forMs);
          const effects = now.flatMap((one) => space.effectsOf(one)!);
          if (now.length > 1) several += 1;
          expect(worstCase(effects, space.topology).idcs).toBeLessThanOrEqual(1);
          for (const { claim, taken } of takenBy(effects, space.entry, space.topology))
            expect(taken).toBeLessThanOrEqual(claim.survives);
        }
        expect(scheduleFits(schedule, space, BOUNDS)).toBe(true);
      }),
      { numRuns: 300 },
    );
    // Or the test would prove nothing.
    expect(several).toBeGreaterThan(20);
  });

  it('has only what somebody can do, on targets that are there', () => {
    expect(space.leftOut.get('network.loss')).toContain('cannot do it');
    expect(space.leftOut.get('host.memory')).toContain('topology');
    expect([...space.targets.keys()]).not.toContain('network.loss');
    const pair = spaceFor(planAt(join(ROOT, 'fixtures/plans/pair.yaml')));
    expect(pair.leftOut.get('database.primary-kill')).toContain('nothing');
    // One node of each: to kill one is more than such a stack claims to survive.
    expect(pair.leftOut.get('process.kill')).toContain('claims to survive');
    expect(pair.targets.get('network.latency')).toEqual([{ link: { from: ['front'], to: ['back'] } }]);
  });
});

const twoWays = spaceFor(planAt(TWO_WAYS));
const SHORT: Bounds = { ...BOUNDS, lastMs: 20_000, holdMaxMs: 8000 };

/** What touches the way to a service, by its link or its node. */
const hits = (fault: ScheduledFault, service: string): boolean => JSON.stringify(fault.target).includes(service);

/** A world on no time at all, with a bug that needs two faults: both ways hit at one moment. */
function breaks(schedule: Schedule): boolean {
  return schedule.some((one) =>
    schedule.some(
      (other) =>
        hits(one, 'sunrise') &&
        hits(other, 'sunset') &&
        one.atMs < other.atMs + other.forMs &&
        other.atMs < one.atMs + one.forMs,
    ),
  );
}

interface FakeBench {
  options: ExploreOptions;
  tried: Schedule[];
}

function benchOf(
  judge: (schedule: Schedule, number: number) => Trial['verdict'],
  more: Partial<ExploreOptions> = {},
): FakeBench {
  const tried: Schedule[] = [];
  const options: ExploreOptions = {
    ...{ seed: 1, space: twoWays, bounds: SHORT, fails: 2, repeats: 3, schedulesMax: 200 },
    goOn: () => true,
    tell: () => undefined,
    trial: async (schedule) => {
      tried.push(schedule);
      const verdict = judge(schedule, tried.length);
      const failures = verdict === 'fail' ? ['convergence visits'] : [];
      return { verdict, failures, because: verdict, folder: 'none' };
    },
    ...more,
  };
  return { options, tried };
}

describe('exploring', () => {
  it('finds a bug that needs two faults at one moment, and shrinks it to those two', async () => {
    const { options } = benchOf((schedule) => (breaks(schedule) ? 'fail' : 'pass'));
    const { found, trials } = await explore(options);
    expect(trials.fail).toBe(1);
    const { schedule, minimal } = found!.shrunk!;
    expect(minimal).toBe(true);
    expect(schedule).toHaveLength(2);
    expect(breaks(schedule)).toBe(true);
    for (let index = 0; index < 2; index++) expect(breaks(schedule.toSpliced(index, 1))).toBe(false);
    for (const { forMs } of schedule) expect(forMs).toBeLessThan(2 * SHORT.holdMinMs + 100);
    for (const fault of schedule) expect(fault.with).toEqual(SIZES[fault.inject]!.plain);
    expect(found!.schedule.map(({ name }) => name)).toEqual(expect.arrayContaining(schedule.map(({ name }) => name)));
  });

  it('finds it from any seed, and is given back the same schedule by the seed that it told', async () => {
    for (const seed of [1, 1000, 2000]) {
      const { found } = await explore(benchOf((one) => (breaks(one) ? 'fail' : 'pass'), { seed }).options);
      const again = benchOf(() => 'pass', { seed: found!.seed, schedulesMax: 1 });
      await explore(again.options);
      expect(again.tried).toEqual([found!.schedule]);
    }
  });

  it('shrinks a bug that shows in two of three trials only, and never tries what is not allowed', async () => {
    const { options, tried } = benchOf((schedule, number) => (breaks(schedule) && number % 3 !== 0 ? 'fail' : 'pass'));
    const { found, fleeting } = await explore(options);
    expect([found?.shrunk?.schedule.length, fleeting.length > 0]).toEqual([2, false]);
    for (const schedule of tried) expect(scheduleFits(schedule, twoWays, SHORT)).toBe(true);
  });

  it('calls what does not fail again undecided, and goes on', async () => {
    const { options, tried } = benchOf((_schedule, number) => (number === 2 ? 'fail' : 'pass'), { schedulesMax: 10 });
    const result = await explore(options);
    expect(result).toMatchObject({ found: undefined, trials: { pass: 9, fail: 1, unknown: 0 } });
    expect(result.fleeting).toMatchObject([{ seed: 2, failed: 1 }]);
    expect(tried).toHaveLength(12);
    expect(whatItProves(result)).toContain('nothing is settled');
  });

  it('counts no trial that could not be judged, and says how much it proves', async () => {
    const { options } = benchOf((_schedule, number) => (number % 2 === 0 ? 'unknown' : 'pass'), { schedulesMax: 118 });
    const result = await explore(options);
    expect(result.trials).toEqual({ pass: 59, fail: 0, unknown: 59 });
    expect(whatItProves(result)).toContain('None of 59 judged schedules failed: at 95 % fewer than 5 %');
    expect(whatItProves(result)).toContain('59 more could not be judged');
    const nothing = await explore(benchOf(() => 'unknown', { schedulesMax: 3 }).options);
    expect(whatItProves(nothing)).toContain('nothing is proved');
  });

  it('ends in time, with the smallest that is known by then', async () => {
    const bench = benchOf((schedule) => (breaks(schedule) ? 'fail' : 'pass'));
    const first = await explore({ ...bench.options });
    const untilFound = bench.tried.findIndex((schedule) => breaks(schedule));
    const short = benchOf((schedule) => (breaks(schedule) ? 'fail' : 'pass'));
    short.options.goOn = () => short.tried.length < untilFound + 4;
    const { found } = await explore(short.options);
    expect(found?.shrunk).toMatchObject({ minimal: false });
    expect(breaks(found!.shrunk!.schedule)).toBe(true);
    expect(found!.seed).toBe(first.found!.seed);
    expect(whatItProves(await explore(short.options))).not.toContain('can be left out');
  });
});

describe('shrinking', () => {
  it('ends with what fails and of which no fault can be dropped, whatever fails', async () => {
    await fc.assert(
      fc.asyncProperty(seeds, fc.array(fc.nat(5), { minLength: 1, maxLength: 3 }), async (seed, picks) => {
        const schedule = drawSchedule(seed, space, BOUNDS);
        fc.pre(schedule.length > 0);
        const needed = new Set(picks.map((at) => schedule[at % schedule.length]!.name));
        const fails = (one: Schedule): boolean => [...needed].every((name) => one.some((fault) => fault.name === name));
        const result = await shrink(schedule, {
          fails: async (candidate) => fails(candidate),
          fits: (candidate) => scheduleFits(candidate, space, BOUNDS),
          simpler: (fault) => simplerThan(fault, space),
          holdMinMs: BOUNDS.holdMinMs,
          goOn: () => true,
        });
        expect(new Set(result.schedule.map(({ name }) => name))).toEqual(needed);
        expect(result.minimal).toBe(true);
        expect(scheduleFits(result.schedule, space, BOUNDS)).toBe(true);
      }),
      { numRuns: 100 },
    );
  });
});

describe('the plan of a trial', () => {
  it('asks for safety under the faults and for convergence after them, and for nothing else', () => {
    const plan = planAt(DARK, textOf(drawSchedule(3, space, BOUNDS)));
    const asked = plan.verify.map(({ check, params }) => [check, params.within ?? params.rpo]);
    expect(asked).toEqual([
      ['availability', undefined],
      ['availability', undefined],
      ['availability', undefined],
      ['recovery', 0],
      ['integrity', undefined],
      ['integrity', undefined],
      ['isolation', undefined],
      ['convergence', 10_000],
      ['convergence', 10_000],
    ]);
    expect(plan.verify.find(({ check }) => check === 'recovery')!.params.rto).toBe(130_000);
    expect(plan.guard).toEqual(shop.guard);
    expect(plan.load).toEqual(shop.load);
  });
});
