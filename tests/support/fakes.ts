import { Histogram } from '../../harness/core/histogram.ts';
import { countStarts, dueMs } from '../../harness/core/rate-curve.ts';
import { openAppend } from '../../harness/run/append-file.ts';
import { RunIndex } from '../../harness/run/run-index.ts';
import type { RunDeps } from '../../harness/run/runner.ts';
import type { Effect, FaultDriver, Probe, Undo } from '../../harness/spi/fault.ts';
import type { LoadDriver, LoadSpec, LoadWindow } from '../../harness/spi/load.ts';
import type { Environment, Link, Node, Resource, RuntimeDriver } from '../../harness/spi/runtime.ts';
import type { Timeline } from '../../harness/spi/timeline.ts';
import type { VirtualClock } from './virtual-clock.ts';

/** A world in memory: what is up, which effects are true, and everything that was done to it, in order. */
export class FakeWorld {
  readonly log: string[] = [];
  /** Ids of effects that are true now. */
  readonly active = new Set<string>();
  up = false;
  /** Times (ms from t = 0) in which journeys are bad. */
  badWhile: () => boolean = () => this.active.size > 0;
  /** Names of operations that fail, e.g. `apply dark`, `revert dark`, `up`. */
  readonly failing = new Set<string>();
  /** Effects whose bite is never measured. */
  readonly toothless = new Set<string>();

  note(what: string): void {
    this.log.push(what);
    if (this.failing.has(what)) throw new Error(`${what} was made to fail`);
  }
}

/** The seams' in-memory drivers over one world, on virtual time. */
export function fakeDeps(world: FakeWorld, clock: VirtualClock, indexFolder: string): RunDeps {
  return {
    clock,
    runtime: fakeRuntime(world),
    load: () => fakeLoad(world, clock),
    faultDriver: () => fakeFaultDriver(world),
    probe: () => fakeProbe(),
    startKeeper: async () => ({ [Symbol.asyncDispose]: async () => undefined }),
    startProbes: async () => ({
      measure: async (kind, request) => measure(world, kind, request as string),
      [Symbol.asyncDispose]: async () => {},
    }),
    index: new RunIndex(indexFolder),
    openAppend,
    marker: (runId, shadow) => (shadow ? `sw${runId}` : `re${runId}`),
  };
}

export function fakeRuntime(world: FakeWorld): RuntimeDriver {
  return {
    name: 'fake',
    detect: async () => ({ ok: true, capabilities: { runtime: 'fake', powers: [], proxy: undefined, versions: {} } }),
    up: async (_stack, topology, ctx) => {
      await ctx.record({ kind: 'process', id: 'world', detail: {} });
      world.note('up');
      world.up = true;
      return fakeEnvironment(
        world,
        topology.nodes.map((spec) => spec.id),
      );
    },
    reap: async () => {
      const left = world.up ? ['the world'] : [];
      world.up = false;
      return left;
    },
  };
}

function fakeEnvironment(world: FakeWorld, ids: string[]): Environment {
  const nodes = new Map<string, Node>();
  for (const id of ids) {
    const spec = { id, kind: 'service' as const, of: id, idc: 'one', ports: ['http' as const] };
    nodes.set(id, { spec, restartSpec: () => ({}) });
  }
  return {
    runtime: 'fake',
    owner: 'run',
    nodes,
    links: new Map<string, Link>(),
    entryUrl: 'http://127.0.0.1:1',
    endpoint: () => ({ host: '127.0.0.1', port: 1 }),
    onUnexpectedExit: () => () => {},
    inventory: (): Resource[] => [],
    [Symbol.asyncDispose]: async () => {
      world.note('down');
      world.up = false;
    },
  };
}

function fakeFaultDriver(world: FakeWorld): FaultDriver {
  return {
    name: 'fake',
    accepts: () => ({ ok: true }),
    prepare: async (effect: Effect): Promise<Undo> => {
      const id = String(effect.args.id);
      world.note(`prepare ${id}`);
      return { driver: 'fake', owner: 'foreign', on: { node: id }, state: { id } };
    },
    apply: async (undo) => {
      world.note(`apply ${undo.state.id}`);
      world.active.add(String(undo.state.id));
    },
    revert: async (undo) => {
      world.note(`revert ${undo.state.id}`);
      world.active.delete(String(undo.state.id));
    },
  };
}

function fakeProbe(): Probe {
  return {
    kind: 'fake',
    resolve: async (expectation) => String(expectation.args.id),
    measure: async () => ({ holds: true, value: 0, unit: '', because: '' }),
  };
}

function measure(world: FakeWorld, kind: string, id: string) {
  const active = world.active.has(id) && !world.toothless.has(id);
  const holds = kind === 'bite' ? active : !world.active.has(id);
  return { holds, value: active ? 1 : 0, unit: '', because: `${id} is ${active ? 'in force' : 'not in force'}` };
}

/** Answers every start of the scenario's schedule: bad while the world says so. One window row a second. */
export function fakeLoad(world: FakeWorld, clock: VirtualClock): LoadDriver {
  return {
    name: 'native',
    detect: async () => ({ ok: true }),
    accepts: () => ({ ok: true }),
    start: async (spec, sink) => {
      const state = { stopped: false, scheduled: 0, good: 0, bad: 0 };
      const gate = Promise.withResolvers<number>();
      const summary = () => ({
        scheduled: state.scheduled,
        sent: state.scheduled,
        good: state.good,
        bad: state.bad,
        failuresOmitted: 0,
      });
      const done = gate.promise.then(async (originMs) => {
        const { segments } = spec.scenario;
        const lastSecond = Math.ceil(segments.reduce((sum, one) => sum + one.durationMs, 0) / 1000);
        for (let second = -spec.steadyMs / 1000; second < lastSecond && !state.stopped; second++) {
          await clock.sleep(originMs + (second + 1) * 1000 - clock.now());
          const row = secondOf(spec, second, world.badWhile());
          state.scheduled += row.scheduled;
          state.good += row.good;
          state.bad += row.bad.timeout ?? 0;
          sink.windows([row]);
        }
        return summary();
      });
      return {
        pid: undefined,
        canary: async () => spec.scenario.mix.map(({ journey }) => ({ journey, good: true, acks: [], because: '200' })),
        begin: gate.resolve,
        stop: async () => {
          state.stopped = true;
          gate.resolve(clock.now());
          return done;
        },
        done,
      };
    },
  };
}

function secondOf(spec: LoadSpec, second: number, bad: boolean): LoadWindow {
  const { segments, warmUpRate, name, mix } = spec.scenario;
  const scheduled = second < 0 ? Math.round(warmUpRate) : startsIn(segments, second);
  const latency = new Histogram();
  if (scheduled > 0) latency.record(bad ? 1_000_000 : 5_000, scheduled);
  return {
    scenario: name,
    journey: mix[0]!.journey,
    fromMs: second * 1000,
    toMs: (second + 1) * 1000,
    scheduled,
    sent: scheduled,
    droppedCap: 0,
    droppedLate: 0,
    abandoned: 0,
    good: bad ? 0 : scheduled,
    bad: bad ? { timeout: scheduled } : {},
    excluded: 0,
    latenessP99Ms: 1,
    inFlightMax: 1,
    fromIntended: latency.encode(),
    service: latency.encode(),
  };
}

function startsIn(segments: LoadSpec['scenario']['segments'], second: number): number {
  let count = 0;
  for (let index = 0; index < countStarts(segments); index++) {
    const due = dueMs(segments, index)!;
    if (due >= second * 1000 && due < (second + 1) * 1000) count++;
  }
  return count;
}

/** A small timeline by hand: one scenario at `rate` for `seconds`, and the faults given. */
export function fakeTimeline(
  rate: number,
  seconds: number,
  faults: { name: string; atMs: number; forMs: number; effects: number; nodes?: string[] }[],
  abortWhen: Timeline['plan']['guard']['abortWhen'] = [],
): Timeline {
  const segments = [{ fromRate: rate, toRate: rate, durationMs: seconds * 1000 }];
  const scenario = {
    name: 'sale',
    executor: 'constant-arrival-rate' as const,
    engine: 'native' as const,
    segments,
    warmUpRate: rate,
    warmUpMs: 1000,
    mix: [{ journey: 'browse', share: 1 }],
    journeys: { browse: [] },
    good: { withinMs: 1000, journeyWithinMs: undefined, shed: 'bad' as const },
    shadow: false,
    inFlightMax: 1000,
  };
  const effect = (name: string, index: number): Effect => {
    const id = `${name}.${index}`;
    const on = { node: id };
    const expectation = (kind: string) => ({ kind, on, args: { id } });
    return {
      kind: 'fake',
      on,
      args: { id },
      mode: 'held',
      undo: 'revert',
      touches: { nodes: [] },
      bite: expectation('bite'),
      heal: expectation('heal'),
    };
  };
  return {
    digest: 'fake',
    runtime: 'fake',
    seed: 1,
    plan: {
      name: 'fake',
      hypothesis: 'The harness heals whatever it breaks.',
      file: 'fake.yaml',
      stack: {
        file: undefined,
        vars: {},
        idcs: ['one'],
        edge: [],
        entry: 'app',
        services: {},
        stores: {},
        journeys: { browse: [] },
        invariants: {},
        acks: {},
        marker: [],
        users: { real: { from: 1, to: 10 }, shadow: { from: 11, to: 20 } },
        existing: {},
      },
      seed: 1,
      load: [scenario],
      steadyState: { forMs: 2000, goodRatio: 0.99, p99Ms: undefined },
      faults: [],
      guard: { blastRadius: undefined, abortWhen },
      verify: [],
      recoveryWindowMs: 1000,
      allowHosts: [],
      runtime: 'auto',
      proxy: undefined,
    },
    topology: {
      idcs: ['one'],
      edge: [],
      nodes: [{ id: 'app', kind: 'service', of: 'app', idc: 'one', ports: ['http'] }],
      links: [],
    },
    scenarios: [
      {
        name: 'sale',
        driver: 'native',
        starts: countStarts(segments),
        startsByJourney: {},
        durationMs: seconds * 1000,
      },
    ],
    faults: faults.map(({ name, atMs, forMs, effects, nodes }) => ({
      name,
      kind: 'fake',
      atMs,
      forMs,
      target: { node: 'app' },
      params: {},
      effects: Array.from({ length: effects }, (_unused, index) => effect(name, index)),
      drivers: Array.from({ length: effects }, () => 'fake'),
      blast: { idcs: [], nodes: nodes ?? [name], services: [] },
    })),
    checks: [],
    loadMs: seconds * 1000,
    warmUpMs: 1000,
    notes: [],
  };
}
