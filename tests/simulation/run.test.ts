import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { HarnessError } from '../../harness/core/errors.ts';
import { type AppendFile, openAppend } from '../../harness/run/append-file.ts';
import { readLedger } from '../../harness/run/ledger.ts';
import { Run, type RunOptions } from '../../harness/run/runner.ts';
import type { JournalEvent } from '../../harness/spi/journal.ts';
import type { Timeline } from '../../harness/spi/timeline.ts';
import { FakeWorld, fakeDeps, fakeTimeline } from '../support/fakes.ts';
import { VirtualClock } from '../support/virtual-clock.ts';

let folder = '';
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'seawall-simulation-'));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

let runs = 0;

function optionsFor(runId: string): RunOptions {
  return {
    runId,
    runDir: join(folder, runId),
    planText: '',
    argv: [],
    versions: {},
    machine: {},
    injectFaults: true,
    proxy: 'seawall',
    secrets: [],
    listeners: [],
  };
}

async function simulate(
  timeline: Timeline,
  world: FakeWorld,
  touch: (run: Run, clock: VirtualClock) => void = () => {},
) {
  const clock = new VirtualClock();
  const deps = fakeDeps(world, clock, join(folder, 'index'));
  const runId = `run${++runs}`;
  const options = optionsFor(runId);
  const run = new Run(timeline, deps, options);
  touch(run, clock);
  const result = await clock.run(run.execute());
  const lines = readFileSync(join(options.runDir, 'journal.ndjson'), 'utf8').trimEnd().split('\n');
  const events = lines.map((line) => JSON.parse(line) as JournalEvent);
  const debt = readLedger(join(options.runDir, 'ledger.ndjson'));
  return { result, events, debt, types: events.map((event) => event.type), open: deps.index.list() };
}

const oneFault = () => fakeTimeline(20, 20, [{ name: 'dark', atMs: 5000, forMs: 4000, effects: 2 }]);

describe('a run on virtual time', () => {
  it('goes through every phase, bites, holds for its time from the bite, and heals', async () => {
    const world = new FakeWorld();
    const { result, events, debt, open } = await simulate(oneFault(), world);
    expect(result).toEqual({ leftovers: [], error: undefined });
    expect(events.flatMap((event) => (event.type === 'phase.opened' ? [event.phase] : []))).toEqual([
      'up',
      'preflight',
      'warm-up',
      'load',
      'recovery',
      'drain',
      'audit',
      'down',
    ]);
    const at = (type: string) => events.find((event) => event.type === type)?.tMs;
    expect(at('fault.commanded')).toBe(5000);
    expect(at('fault.reverting')! - at('fault.bitten')!).toBe(4000);
    expect(at('fault.healed')).toBeGreaterThanOrEqual(9000);
    expect(world.active.size).toBe(0);
    expect(world.up).toBe(false);
    expect(debt.undos).toEqual([]);
    expect(debt.closed).toBe(true);
    expect(open).toEqual([]);
  });

  it('writes the undo before anything is applied', async () => {
    const world = new FakeWorld();
    const timeline = oneFault();
    const clock = new VirtualClock();
    const deps = fakeDeps(world, clock, join(folder, 'index'));
    const runDir = join(folder, 'order');
    const seen: number[] = [];
    const driver = deps.faultDriver('fake');
    deps.faultDriver = () => ({
      ...driver,
      apply: async (undo, ctx) => {
        seen.push(readLedger(join(runDir, 'ledger.ndjson')).undos.length);
        await driver.apply(undo, ctx);
      },
    });
    const run = new Run(timeline, deps, optionsFor('order'));
    await clock.run(run.execute());
    expect(seen).toEqual([2, 2]);
  });

  it('injects nothing when the steady state is not met', async () => {
    const world = new FakeWorld();
    world.badWhile = () => true;
    const { types, result } = await simulate(oneFault(), world);
    expect(types).not.toContain('fault.commanded');
    expect(types.at(-1)).toBe('run.closed');
    expect(result.error).toBeUndefined();
    expect(world.log).not.toContain('apply dark.0');
  });

  it('reverts at once and says so when a fault did not bite', async () => {
    const world = new FakeWorld();
    world.toothless.add('dark.1');
    const { types, events } = await simulate(oneFault(), world);
    expect(types).toContain('fault.not-bitten');
    expect(types).not.toContain('fault.bitten');
    const reverting = events.find((event) => event.type === 'fault.reverting');
    expect(reverting?.tMs).toBeLessThan(5100);
    expect(world.active.size).toBe(0);
  });

  it('reverts what was applied when applying the rest failed', async () => {
    const world = new FakeWorld();
    world.failing.add('apply dark.1');
    const { types } = await simulate(oneFault(), world);
    expect(types).toContain('fault.not-bitten');
    expect(world.active.size).toBe(0);
  });

  it('tries every undo though one fails, names it, and keeps the run open for heal', async () => {
    const world = new FakeWorld();
    world.failing.add('revert dark.1');
    const { result, events, open } = await simulate(oneFault(), world);
    expect(world.log.filter((what) => what === 'revert dark.0')).toHaveLength(1);
    expect(events.find((event) => event.type === 'fault.not-healed')).toBeDefined();
    expect(result.leftovers).toEqual(['dark/1 is not undone']);
    expect(open).toHaveLength(1);
  });

  it('trips the guard, heals at once and ends the load', async () => {
    const world = new FakeWorld();
    const timeline = fakeTimeline(
      20,
      60,
      [{ name: 'dark', atMs: 5000, forMs: 40_000, effects: 1 }],
      [{ of: 'sale', badRatio: 0.05, overMs: 10_000 }],
    );
    const { events, types } = await simulate(timeline, world);
    const tripped = events.find((event) => event.type === 'guard.tripped');
    expect(tripped?.tMs).toBeGreaterThanOrEqual(5000);
    expect(tripped?.tMs).toBeLessThan(10_000);
    expect(events.find((event) => event.type === 'fault.healed')?.tMs).toBeLessThan(10_000);
    expect(types.at(-1)).toBe('run.closed');
    expect(events.at(-1)).toMatchObject({ outcome: 'aborted' });
  });

  it('heals and closes when interrupted in mid-hold', async () => {
    const world = new FakeWorld();
    const { events } = await simulate(oneFault(), world, (run, clock) => {
      void clock.sleep(1000 + 2000 + 300 + 6500).then(() => run.interrupt('SIGINT'));
    });
    expect(events.find((event) => event.type === 'fault.reverting')).toMatchObject({ why: 'interrupt' });
    expect(events.at(-1)).toMatchObject({ type: 'run.closed', outcome: 'interrupted' });
    expect(world.active.size).toBe(0);
    expect(world.up).toBe(false);
  });

  it('fails with the cause and leaves nothing when the stack does not come up', async () => {
    const world = new FakeWorld();
    world.failing.add('up');
    const { result, types, open } = await simulate(oneFault(), world);
    expect(result.error?.message).toContain('up was made to fail');
    expect(types).not.toContain('load.origin');
    expect(open).toEqual([]);
  });

  it('holds a fault back until an earlier one on the same nodes is healed, and skips it when that is too late', async () => {
    const world = new FakeWorld();
    const shared = { effects: 1, nodes: ['db'] };
    const timeline = fakeTimeline(5, 60, [
      { name: 'first', atMs: 4000, forMs: 10_000, ...shared },
      { name: 'second', atMs: 6000, forMs: 9000, ...shared },
      { name: 'third', atMs: 7000, forMs: 1000, ...shared },
    ]);
    const { events } = await simulate(timeline, world);
    const commanded = events.flatMap((event) =>
      event.type === 'fault.commanded' ? [`${event.fault}@${event.tMs}`] : [],
    );
    expect(commanded).toEqual(['first@4000', 'second@14000']);
    expect(events.find((event) => event.type === 'fault.skipped')).toMatchObject({ fault: 'third' });
  });

  it('stops, heals and names the file when the disk is full', async () => {
    const world = new FakeWorld();
    const clock = new VirtualClock();
    const deps = fakeDeps(world, clock, join(folder, 'index'));
    let room = 40;
    deps.openAppend = (path): AppendFile => {
      const real = openAppend(path);
      if (!path.endsWith('journal.ndjson')) return real;
      const write = (data: string | Uint8Array): void => {
        if (room-- <= 0) throw new HarnessError('DISK_FULL', `${path} cannot grow: ENOSPC`, 'Free some space.');
        real.write(data);
      };
      return { ...real, write };
    };
    const run = new Run(oneFault(), deps, optionsFor('full'));
    const result = await clock.run(run.execute());
    expect(result.error?.code).toBe('DISK_FULL');
    expect(world.active.size).toBe(0);
    expect(world.up).toBe(false);
  });

  it('heals whatever it broke, for any plan, failure and moment of interruption', async () => {
    const faults = fc.array(
      fc.record({
        atMs: fc.integer({ min: 2000, max: 20_000 }),
        forMs: fc.integer({ min: 100, max: 9000 }),
        effects: fc.integer({ min: 1, max: 4 }),
      }),
      { maxLength: 4 },
    );
    await fc.assert(
      fc.asyncProperty(
        faults,
        fc.integer({ min: 0, max: 40_000 }),
        fc.boolean(),
        fc.integer({ min: 0, max: 3 }),
        async (specs, interruptMs, interrupted, broken) => {
          const world = new FakeWorld();
          world.failing.add(`apply f${broken}.1`);
          const timeline = fakeTimeline(
            3,
            30,
            specs.map((spec, index) => ({ name: `f${index}`, ...spec })),
          );
          const { result, debt, open, types } = await simulate(timeline, world, (run, clock) => {
            if (interrupted) void clock.sleep(interruptMs).then(() => run.interrupt('test'));
          });
          expect(world.active.size).toBe(0);
          expect(world.up).toBe(false);
          expect(debt.undos).toEqual([]);
          expect(open).toEqual([]);
          expect(result.leftovers).toEqual([]);
          expect(types.at(-1)).toBe('run.closed');
        },
      ),
      { numRuns: 40 },
    );
  });
});
