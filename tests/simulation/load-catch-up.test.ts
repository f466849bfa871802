import { describe, expect, it } from 'vitest';
import type { ConnectionOwner } from '../../harness/load/connection.ts';
import { type Carrier, ConnectionPool, type Ready } from '../../harness/load/connection-pool.ts';
import { Executor } from '../../harness/load/executor.ts';
import { TimeHeap } from '../../harness/load/time-heap.ts';
import type { Transport } from '../../harness/load/transport.ts';
import type { LoadSpec, LoadWindow } from '../../harness/spi/load.ts';
import { ok, specOf } from './load-world.ts';

/** What a generator's thread needs, ms of its processor: as measured with real sockets, rounded. */
const COST_MS = { read: 0.012, send: 0.012, open: 0.3, turn: 0.01 };
const TIMER_MS = 1;

interface World {
  nowMs: number;
  /** What the kernel has for the thread, by when it came. */
  readonly arrived: TimeHeap<() => void>;
  /** What happens once that has been read. */
  afterReading: (() => void)[];
  opened: number;
  sentMs: number[];
  mostOpen: number;
}

/** When the system answers what it gets at that moment; undefined: never. */
type System = (ms: number) => number | undefined;

/** A connection of the simulated thread: opening, sending and reading take time of that thread alone. */
class Wire implements Carrier {
  restedMs = 0;
  readonly #world: World;
  readonly #owner: ConnectionOwner<Wire>;
  readonly #system: System;

  constructor(world: World, owner: ConnectionOwner<Wire>, system: System) {
    this.#world = world;
    this.#owner = owner;
    this.#system = system;
    world.opened++;
    world.nowMs += COST_MS.open;
    world.arrived.add(world.nowMs + 0.1, () => owner.connected(this));
  }

  usableAt(): boolean {
    return true;
  }

  send({ receiver }: Ready): void {
    const world = this.#world;
    world.nowMs += COST_MS.send;
    world.sentMs.push(world.nowMs);
    const answerMs = this.#system(world.nowMs);
    if (answerMs === undefined) return;
    world.arrived.add(answerMs, () => {
      world.nowMs += COST_MS.read;
      this.restedMs = world.nowMs;
      this.#owner.idle(this);
      receiver.answered(ok());
    });
  }

  cancel(): void {}

  destroy(): void {}
}

/** Runs a load on one simulated thread, whose event loop does nothing at all during `frozen`. */
function run(spec: LoadSpec, system: System, frozen?: { fromMs: number; toMs: number }) {
  const startMs = -spec.steadyMs - spec.scenario.warmUpMs;
  const none = { afterReading: [], opened: 0, sentMs: [], mostOpen: 0 };
  const world: World = { nowMs: startMs, arrived: new TimeHeap<() => void>(), ...none };
  const now = (): number => world.nowMs;
  const pool = new ConnectionPool<Wire>({
    open: (owner) => new Wire(world, owner, system),
    now,
    afterReading: (callback) => {
      world.afterReading.push(callback);
      return () => {};
    },
    oneEach: false,
  });
  const transport: Transport = {
    admits: () => pool.admits(),
    compile: (shape) => ({
      writesTrace: true,
      send(_values, _trace, receiver) {
        const ready: Ready = { data: '', encoding: 'latin1', toHead: false, wants: shape.wants, receiver };
        const free = pool.free();
        if (free === undefined) return pool.queue(ready);
        free.send(ready);
        return free;
      },
    }),
    close: () => {},
  };
  const executor = new Executor({ spec, tag: {}, feeds: new Map(), transport, now });
  const windows: LoadWindow[] = [];
  let tickMs = startMs;
  for (let turn = 0; !executor.done && turn < 5_000_000; turn++) {
    if (frozen !== undefined && world.nowMs >= frozen.fromMs && world.nowMs < frozen.toMs) world.nowMs = frozen.toMs;
    // One turn of an event loop: timers, then what came in, then what waits for that.
    if (world.nowMs >= tickMs) {
      tickMs = world.nowMs + TIMER_MS;
      executor.tick();
    }
    const untilMs = world.nowMs;
    while (world.arrived.size > 0 && world.arrived.firstMs <= untilMs) world.arrived.take()!();
    for (const callback of world.afterReading.splice(0)) callback();
    world.nowMs += COST_MS.turn;
    const nextMs = Math.min(tickMs, world.arrived.size > 0 ? world.arrived.firstMs : tickMs);
    if (world.afterReading.length === 0) world.nowMs = Math.max(world.nowMs, nextMs);
  }
  for (const { label, fromMs, cells } of executor.output().windows) {
    windows.push(cells.row('sale', executor.labels[label]!, fromMs));
  }
  return { world, executor, rows: windows.filter((row) => row.step === undefined) };
}

const quick: System = (ms) => ms + 0.2;

describe('a generator at seven tenths of what its thread can do', () => {
  const spec = specOf(30_000, 3);

  it('comes back from 50 ms in which it did nothing, without opening a connection for each start of them', () => {
    const calm = run(spec, quick);
    const { world, executor, rows } = run(spec, quick, { fromMs: 1000, toMs: 1050 });
    expect(executor.summary).toMatchObject({ scheduled: 90_000, sent: 90_000, good: 90_000 });
    // 1,500 starts were due at once.
    expect([calm.world.opened, world.opened].every((count) => count < 150)).toBe(true);
    expect(rows.find((row) => row.fromMs === 2000)!.latenessP99Ms).toBeLessThan(3);
    // What waited is counted as lateness of the generator, all of it.
    expect(rows.find((row) => row.fromMs === 1000)!.latenessP99Ms).toBeGreaterThan(45);
  });
});

describe('a system that stops for a second', () => {
  const spec = specOf(1000, 3);
  const stalls: System = (ms) => (ms >= 1000 && ms < 2000 ? 2000.2 : ms + 0.2);

  it('gets every start on time meanwhile, each on a connection of its own', () => {
    const { world, executor, rows } = run(spec, stalls);
    expect(executor.summary).toMatchObject({ scheduled: 3000, sent: 3000 });
    expect(rows.find((row) => row.fromMs === 1000)!.latenessP99Ms).toBeLessThan(3);
    expect(world.opened).toBeGreaterThan(900);
    const inStall = world.sentMs.filter((ms) => ms >= 1000 && ms < 2000);
    expect(inStall.length).toBeGreaterThan(990);
  });

  it('does so too where the generator itself has just been late', () => {
    const { world, rows } = run(spec, stalls, { fromMs: 1100, toMs: 1150 });
    const after = world.sentMs.filter((ms) => ms >= 1150 && ms < 1200);
    // The 50 starts that fell due in its own pause, and those of the time after it.
    expect(after.length).toBeGreaterThan(95);
    expect(rows.reduce((sum, row) => sum + row.droppedLate, 0)).toBe(0);
  });

  it('and one that takes 200 ms for each answer has as many requests in flight as it needs', () => {
    const { world, executor, rows } = run(specOf(2000, 3), (ms) => ms + 200, { fromMs: 1500, toMs: 1550 });
    expect(executor.summary).toMatchObject({ scheduled: 6000, sent: 6000, good: 6000 });
    expect(world.opened).toBeGreaterThanOrEqual(400);
    expect(rows.find((row) => row.fromMs === 2000)!.latenessP99Ms).toBeLessThan(3);
  });
});
