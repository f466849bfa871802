import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { Run } from '../../harness/run/runner.ts';
import type { JournalEvent } from '../../harness/spi/journal.ts';
import type { FaultCondition } from '../../harness/spi/plan.ts';
import type { Timeline, TimelineFault } from '../../harness/spi/timeline.ts';
import { FakeWorld, fakeDeps, fakeTimeline } from '../support/fakes.ts';
import { VirtualClock } from '../support/virtual-clock.ts';

let folder = '';
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'seawall-schedule-'));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

interface Spec extends Partial<Pick<TimelineFault, 'after' | 'lateMs' | 'flap'>> {
  name: string;
  atMs: number;
  forMs: number;
  nodes?: string[];
}

function timelineOf(specs: readonly Spec[], seconds = 90): Timeline {
  const plain = specs.map(({ name, atMs, forMs, nodes }) => ({
    ...{ name, atMs, forMs, effects: 1 },
    ...(nodes === undefined ? {} : { nodes }),
  }));
  const timeline = fakeTimeline(20, seconds, plain);
  const faults = timeline.faults.map((fault, index) => {
    const { after, lateMs, flap } = specs[index]!;
    return {
      ...fault,
      ...(after === undefined ? {} : { after }),
      ...(lateMs === undefined ? {} : { lateMs }),
      ...(flap === undefined ? {} : { flap }),
    };
  });
  return { ...timeline, faults };
}

const when = (moment: FaultCondition['moment'], fault: string, delayMs = 0): FaultCondition[] => [
  { moment, fault, delayMs },
];

let runs = 0;

async function simulate(
  timeline: Timeline,
  world: FakeWorld,
  touch: (run: Run, clock: VirtualClock) => void = () => {},
  healMs = 0,
) {
  const clock = new VirtualClock();
  const deps = fakeDeps(world, clock, join(folder, 'index'));
  const driver = deps.faultDriver('fake');
  deps.faultDriver = () => ({
    ...driver,
    revert: async (undo, ctx) => {
      await clock.sleep(healMs);
      await driver.revert(undo, ctx);
    },
  });
  const runId = `schedule${++runs}`;
  const runDir = join(folder, runId);
  const run = new Run(timeline, deps, {
    ...{ runId, runDir, planText: '', argv: [], versions: {}, machine: {}, injectFaults: true },
    ...{ proxy: 'seawall' as const, secrets: [], listeners: [] },
  });
  touch(run, clock);
  await clock.run(run.execute());
  const lines = readFileSync(join(runDir, 'journal.ndjson'), 'utf8').trimEnd().split('\n');
  const events = lines.map((line) => JSON.parse(line) as JournalEvent);
  const commanded = events.flatMap((event) =>
    event.type === 'fault.commanded' ? [`${event.fault}@${event.tMs! / 1000}`] : [],
  );
  const skipped = events.flatMap((event) =>
    event.type === 'fault.skipped' ? [`${event.fault}: ${event.because}`] : [],
  );
  return { events, commanded, skipped };
}

describe('a fault that waits for a moment of another', () => {
  const dark: Spec = { name: 'dark', atMs: 5000, forMs: 4000 };
  const then = (moment: FaultCondition['moment'], delayMs: number): Spec => ({
    ...{ name: 'then', atMs: 5000, forMs: 1000, lateMs: 30_000 },
    after: when(moment, 'dark', delayMs),
  });

  it('begins so long after the bite, or the heal, as asked', async () => {
    const { commanded } = await simulate(timelineOf([dark, then('bitten', 1500)]), new FakeWorld());
    expect(commanded).toEqual(['dark@5', 'then@6.5']);
    const slow = await simulate(timelineOf([dark, then('healed', 1500)]), new FakeWorld(), undefined, 3000);
    expect(slow.commanded).toEqual(['dark@5', 'then@13.5']);
    expect(slow.skipped).toEqual([]);
  });

  it('on recovery, begins when five whole seconds after the heal were well, not before', async () => {
    const world = new FakeWorld();
    let healedAt = Number.POSITIVE_INFINITY;
    const { commanded, events } = await simulate(timelineOf([dark, then('recovered', 0)]), world, (_run, clock) => {
      // Users go on suffering for six seconds after the heal.
      world.badWhile = () => {
        if (world.active.size > 0) healedAt = clock.now() + 1000;
        return world.active.size > 0 || clock.now() < healedAt + 6000;
      };
      healedAt = 0;
    });
    const healed = events.find((event) => event.type === 'fault.healed')!;
    const turn = Number(commanded[1]!.split('@')[1]);
    expect(turn - healed.tMs! / 1000).toBeGreaterThanOrEqual(11);
    expect(turn - healed.tMs! / 1000).toBeLessThan(15);
  });

  it('is skipped when the moment does not come by its bound, or can never come', async () => {
    const never = { ...then('healed', 0), lateMs: 3000 };
    const late = await simulate(timelineOf([dark, never]), new FakeWorld(), undefined, 5000);
    expect(late.commanded).toEqual(['dark@5']);
    expect(late.skipped).toEqual(['then: dark was not healed by 8s']);
    const toothless = new FakeWorld();
    toothless.toothless.add('dark.0');
    const bitten = await simulate(timelineOf([dark, then('bitten', 0)]), toothless);
    expect(bitten.skipped).toEqual(['then: it waits until dark has bitten, and dark never bit']);
    const broken = new FakeWorld();
    broken.failing.add('prepare dark.0');
    const healed = await simulate(timelineOf([dark, then('recovered', 0)]), broken);
    expect(healed.skipped[1]).toBe('then: it waits until dark is recovered from, and dark was not injected');
  });

  it('in a lane goes on where the one before was skipped, and not where it could not be healed', async () => {
    const world = new FakeWorld();
    world.failing.add('prepare dark.0');
    const { commanded } = await simulate(timelineOf([dark, then('over', 0)]), world);
    expect(commanded).toEqual(['then@5']);
    const stuck = new FakeWorld();
    stuck.failing.add('revert dark.0');
    const { skipped } = await simulate(timelineOf([dark, then('over', 0)]), stuck);
    expect(skipped).toEqual(['then: it waits until dark is over, and dark could not be proved healed']);
  });

  it('does not hang when the run is interrupted while it waits', async () => {
    const { skipped, events } = await simulate(
      timelineOf([dark, then('healed', 25_000)]),
      new FakeWorld(),
      (run, clock) => {
        void clock.sleep(3300 + 20_000).then(() => run.interrupt('test'));
      },
    );
    expect(skipped).toEqual(['then: the run was stopped before it']);
    expect(events.at(-1)).toMatchObject({ type: 'run.closed', outcome: 'interrupted' });
  });
});

describe('a sick system', () => {
  const first: Spec = { name: 'first', atMs: 5000, forMs: 2000 };
  const second: Spec = { name: 'second', atMs: 30_000, forMs: 2000 };

  /** Bad from the first bite until so long after. */
  const sickFor = (ms: number, world: FakeWorld) => (_run: Run, clock: VirtualClock) => {
    let since = Number.POSITIVE_INFINITY;
    world.badWhile = () => {
      if (world.active.size > 0) since = Math.min(since, clock.now());
      return clock.now() >= since && clock.now() < since + ms;
    };
  };

  it('is not hit again, and the reason has the numbers', async () => {
    const world = new FakeWorld();
    const { commanded, skipped } = await simulate(timelineOf([first, second]), world, sickFor(40_000, world));
    expect(commanded).toEqual(['first@5']);
    expect(skipped).toEqual([
      'second: 100 of 100 journeys of sale were bad in the last seconds known before its turn, and the steady state asks for 99% good: a sick system is not hit again',
    ]);
  });

  it('is hit again when it is well again', async () => {
    const world = new FakeWorld();
    const { commanded } = await simulate(timelineOf([first, second]), world, sickFor(15_000, world));
    expect(commanded).toEqual(['first@5', 'second@30']);
  });

  it('is no reason while another fault is in force, nor for the next turn of a flap', async () => {
    const world = new FakeWorld();
    const held: Spec = { name: 'held', atMs: 6000, forMs: 30_000 };
    const both = await simulate(timelineOf([held, second]), world, sickFor(60_000, world));
    expect(both.commanded).toEqual(['held@6', 'second@30']);
    const again = new FakeWorld();
    const turns = [1, 2].map(
      (turn): Spec => ({
        ...{ name: `flap-${turn}`, atMs: turn * 20_000, forMs: 2000 },
        flap: { of: 'flap', turn, turns: 2 },
      }),
    );
    const flap = await simulate(timelineOf(turns), again, sickFor(60_000, again));
    expect(flap.commanded).toEqual(['flap-1@20', 'flap-2@40']);
  });

  it('with a fault that could not be proved healed is left alone', async () => {
    const world = new FakeWorld();
    world.failing.add('revert first.0');
    world.badWhile = () => false;
    const { skipped } = await simulate(timelineOf([first, second]), world);
    expect(skipped).toEqual(['second: first could not be proved healed: a sick system is not hit again']);
  });
});

describe('whatever waits for what', () => {
  it('no node is hit twice at once, a turn is never later than its bound, and all is healed', async () => {
    const specs = fc.array(
      fc.record({
        atMs: fc.integer({ min: 3000, max: 40_000 }),
        forMs: fc.integer({ min: 1000, max: 8000 }),
        node: fc.constantFrom('a', 'b', 'c'),
        lateMs: fc.integer({ min: 0, max: 20_000 }),
        delayMs: fc.integer({ min: 0, max: 3000 }),
        moment: fc.constantFrom('bitten' as const, 'healed' as const, 'recovered' as const, 'over' as const, undefined),
        after: fc.nat(5),
      }),
      { minLength: 1, maxLength: 6 },
    );
    await fc.assert(
      fc.asyncProperty(specs, fc.integer({ min: 0, max: 4000 }), async (list, healMs) => {
        const faults = list.map(({ atMs, forMs, node, lateMs, delayMs, moment, after }, index): Spec => {
          const waits =
            moment === undefined || index === 0 ? {} : { after: when(moment, `f${after % index}`, delayMs) };
          return { name: `f${index}`, atMs, forMs, lateMs, nodes: [node], ...waits };
        });
        const world = new FakeWorld();
        const { events } = await simulate(timelineOf(faults), world, undefined, healMs);
        expect(world.active.size).toBe(0);
        const busy = new Set<string>();
        const settled = new Set<string>();
        const wrong: string[] = [];
        for (const event of events) {
          const spec = 'fault' in event ? faults.find(({ name }) => name === event.fault)! : undefined;
          const node = spec?.nodes?.[0] ?? '';
          if (event.type === 'fault.commanded') {
            if (busy.has(node)) wrong.push(`${event.fault} hits ${node} again`);
            busy.add(node);
            // Its turn by the bound, and then up to its own hold for the node to be whole.
            const latestMs = spec!.atMs + spec!.lateMs! + spec!.forMs + 1;
            if (event.tMs! > latestMs) wrong.push(`${event.fault} at ${event.tMs}, not by ${latestMs}`);
          }
          if (event.type === 'fault.healed') busy.delete(node);
          if (event.type === 'fault.healed' || event.type === 'fault.skipped') settled.add(event.fault);
        }
        expect(wrong).toEqual([]);
        expect(settled.size).toBe(faults.length);
      }),
      { numRuns: 20 },
    );
  });
});
