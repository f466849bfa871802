import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { FAULTS } from '../../faults/catalogue.ts';
import { inspectContainer } from '../../faults/drivers/container.ts';
import { pauseDriver } from '../../faults/drivers/pause.ts';
import { folderInContainer } from '../../harness/core/container-files.ts';
import { controlGroupsOf, processesOfContainer } from '../../harness/core/control-groups.ts';
import { findNode, findRun, stopAll } from '../../harness/core/local-process.ts';
import { type ProcessRow, signalExactly } from '../../harness/core/process-identity.ts';
import { layOut } from '../../harness/plan/topology.ts';
import { FAULT_DRIVERS } from '../../harness/registry.ts';
import { containersRuntime } from '../../harness/runtime/containers.ts';
import { localRuntime } from '../../harness/runtime/local.ts';
import type { Effect } from '../../harness/spi/fault.ts';
import type { JsonObject } from '../../harness/spi/json.ts';
import type { RuntimeDriver } from '../../harness/spi/runtime.ts';
import {
  coldRevert,
  type FaultBench,
  type FaultCase,
  faultContext,
  heals,
  type Injected,
  inject,
  revert,
} from '../support/fault-cycle.ts';
import { miniBench, stackNamed } from '../support/mini-stack.ts';
import { containerEngine, type Requirement, requireOrSkip } from '../support/requirements.ts';
import { containersOf } from '../support/tiny-image.ts';

const hello = { node: 'hello-here' };
const notes = { node: 'notes-here' };

interface Tried extends FaultCase {
  /** What a driver is told that does less than was asked; the probe must say so. */
  weaker?: JsonObject;
}

/** Small and short: they share the machine with everything else. */
const EVERYWHERE: Tried[] = [
  { kind: 'process.kill', target: hello, params: {} },
  { kind: 'process.pause', target: { service: 'hello' }, params: {} },
  { kind: 'process.pause', target: notes, params: {} },
  { kind: 'process.restart', target: hello, params: {} },
  { kind: 'process.crash-loop', target: hello, params: { every: '1s' }, weaker: { everyMs: 2000 } },
  { kind: 'process.crash-loop', target: hello, params: { every: '10s' } },
  { kind: 'host.cpu', target: hello, params: { threads: 2, share: '30%' }, weaker: { threads: 1, share: 0.3 } },
  { kind: 'host.memory', target: hello, params: { size: '120MB' }, weaker: { bytes: 60_000_000 } },
  { kind: 'host.file-descriptors', target: hello, params: {}, weaker: { leave: 20 } },
  { kind: 'host.file-descriptors', target: hello, params: { leave: 4 }, weaker: { leave: 8 } },
];
const IN_GROUPS: Tried[] = [
  { kind: 'host.cpu-limit', target: hello, params: { cores: 0.2 }, weaker: { cores: 0.4 } },
  {
    kind: 'host.disk-fill',
    target: hello,
    params: { leave: '1MB' },
    weaker: { folder: '/dev/shm', leave: 30_000_000 },
  },
];

const RUNTIMES: { driver: RuntimeDriver; here: Requirement<unknown>; cases: Tried[] }[] = [
  { driver: localRuntime, here: { ok: true, value: 'processes' }, cases: EVERYWHERE },
  { driver: containersRuntime, here: await containers(), cases: [...EVERYWHERE, ...IN_GROUPS] },
];

test('every fault of processes and hosts is tried here', () => {
  const tried = new Set([...EVERYWHERE, ...IN_GROUPS].map(({ kind }) => kind));
  const known = FAULTS.map(({ kind }) => kind).filter((kind) => /^(process|host)\./.test(kind));
  expect([...tried].toSorted()).toEqual(known.toSorted());
});

for (const { driver, here, cases } of RUNTIMES) {
  describe(`process and host faults on ${driver.name}`, () => {
    let bench: FaultBench & AsyncDisposable;

    beforeAll(async () => {
      if (here.ok) bench = await miniBench(driver, 'hello');
    });
    afterAll(() => bench?.[Symbol.asyncDispose]());
    beforeEach((context) => void requireOrSkip(context, here));
    // One that failed must not spoil the next: reverting again does no harm.
    let injected: Injected | undefined;
    afterEach(async ({ task }) => {
      if (injected === undefined || task.result?.state !== 'fail') return;
      await revert(injected, bench);
      await heals(injected, bench);
      injected = undefined;
    });

    test.each(cases)('$kind $target $params bites, heals, and heals again without harm', async (asked) => {
      const before = await stateOf(bench);
      injected = await inject(asked, bench);
      expect(injected.bites.filter(({ holds }) => !holds)).toEqual([]);
      for (let times = 1; times <= 2; times++) {
        await revert(injected, bench);
        expect((await heals(injected, bench)).filter(({ holds }) => !holds)).toEqual([]);
      }
      expect(await stateOf(bench)).toEqual(before);
    });

    // A cold process costs a second: one case of each kind, and in containers those that are undone in another way there.
    const alike = driver === localRuntime ? [] : ['process.restart', 'process.crash-loop', 'host.cpu', 'host.memory'];
    const oneOfEach = [...new Map(cases.map((one) => [one.kind, one])).values()].filter(
      ({ kind }) => !alike.includes(kind),
    );
    test.each(oneOfEach)('$kind $target $params is healed by a cold process from the undo alone', async (asked) => {
      const before = await stateOf(bench);
      injected = await inject(asked, bench);
      expect(injected.bites.filter(({ holds }) => !holds)).toEqual([]);
      await coldRevert(injected);
      expect((await heals(injected, bench)).filter(({ holds }) => !holds)).toEqual([]);
      expect(await stateOf(bench)).toEqual(before);
    });

    test.each([
      { what: 'whatever weighed on it', weighing: cases.filter(({ kind }) => kind.startsWith('host.')) },
      { what: 'its freezing', weighing: cases.filter(({ kind }) => kind === 'process.pause').slice(0, 1) },
    ])('a node that died meanwhile is none the worse for the undo of $what', async ({ weighing }) => {
      const before = await stateOf(bench);
      const each = [...new Map(weighing.map((one) => [one.kind, one])).values()];
      const last = each.filter(({ kind }) => kind === 'host.file-descriptors');
      const done: Injected[] = [];
      for (const one of [...each.filter((other) => !last.includes(other)), ...last]) {
        done.push(await inject(one, bench));
      }
      expect(done.flatMap(({ bites }) => bites).filter(({ holds }) => !holds)).toEqual([]);
      const { life } = bench.env.nodes.get('hello-here')!;
      await life!.kill(AbortSignal.timeout(5000));
      for (const one of done) await revert(one, bench);
      await life!.start(AbortSignal.timeout(5000));
      await expect.poll(async () => (await fetch(bench.env.entryUrl).catch(() => undefined))?.status).toBeDefined();
      for (const one of done) expect((await heals(one, bench)).filter(({ holds }) => !holds)).toEqual([]);
      expect(await stateOf(bench)).toEqual(before);
    });

    // The probes are the same on both: what only the other can do is left to it.
    test.each(
      cases
        .filter(({ weaker }) => weaker !== undefined)
        .filter((one) => driver === localRuntime || IN_GROUPS.includes(one)),
    )('$kind $target $params that does only $weaker is no bite', async (asked) => {
      const weakened = (effect: Effect): Effect => ({ ...effect, args: asked.weaker! });
      injected = await inject(asked, bench, weakened);
      expect(injected.bites.map(({ holds, because }) => (holds ? because : 'no bite'))).toEqual(['no bite']);
      await revert(injected, bench);
      expect((await heals(injected, bench)).filter(({ holds }) => !holds)).toEqual([]);
    });
  });
}

describe('a paused node', () => {
  let bench: FaultBench & AsyncDisposable;
  beforeAll(async () => {
    bench = await miniBench(localRuntime, 'pair');
  });
  afterAll(() => bench?.[Symbol.asyncDispose]());
  const pause: FaultCase = { kind: 'process.pause', target: { node: 'back-here' }, params: {} };
  const rows = (): ProcessRow[] => findNode(bench.runId, 'back-here');
  const states = (): string[] => rows().map(({ pid }) => stateOfProcess(pid));

  test('that was ended and started meanwhile is left running by the undo', async () => {
    const injected = await inject(pause, bench);
    const { life } = bench.env.nodes.get('back-here')!;
    await life!.kill(AbortSignal.timeout(5000));
    await life!.start(AbortSignal.timeout(5000));
    await revert(injected, bench);
    expect((await heals(injected, bench)).filter(({ holds }) => !holds)).toEqual([]);
  });

  test('that was stopped by somebody else before stays stopped by the undo', async () => {
    const theirs = stopAll(rows);
    const fault = FAULTS.find(({ kind }) => kind === pause.kind)!;
    const [effect] = fault.effects({}, pause.target, bench.topology);
    const context = faultContext(bench.runId);
    const undo = await pauseDriver.prepare(effect!, bench.env, context);
    await pauseDriver.apply(undo, context);
    await pauseDriver.revert(undo, context);
    expect(states()).toEqual(theirs.map(() => 'T'));
    for (const row of theirs) signalExactly(row, 'SIGCONT');
    expect(states().includes('T')).toBe(false);
  });

  test('is gone with its run', async () => {
    const own = await miniBench(localRuntime, 'pair');
    await inject(pause, own);
    await own[Symbol.asyncDispose]();
    expect(findRun(own.runId)).toEqual([]);
  });
});

describe('helpers whose tool is gone', () => {
  let bench: FaultBench & AsyncDisposable;
  beforeAll(async () => {
    bench = await miniBench(localRuntime, 'pair');
  });
  afterAll(() => bench?.[Symbol.asyncDispose]());
  const asked: FaultCase[] = [
    { kind: 'process.crash-loop', target: { node: 'back-here' }, params: { every: '500ms' } },
    { kind: 'host.cpu', target: { node: 'back-here' }, params: { share: '20%' } },
    { kind: 'host.memory', target: { node: 'back-here' }, params: { size: '40MB' } },
  ];

  test('end with their lease by themselves, and the node runs', async () => {
    const context = { ...faultContext(bench.runId, bench.logs), expiresAtMs: Date.now() + 1500 };
    for (const { kind, target, params } of asked) {
      const fault = FAULTS.find((one) => one.kind === kind)!;
      const parsed = fault.params.parse(params);
      const [effect] = fault.effects(parsed.ok ? parsed.value : {}, target, bench.topology);
      const driver = FAULT_DRIVERS.find((one) => one.accepts(effect!, bench.capabilities)?.ok)!;
      await driver.apply(await driver.prepare(effect!, bench.env, context), context);
    }
    const helpers = (): unknown[] => findRun(bench.runId).filter(({ command }) => command.includes('=actor-'));
    expect(helpers()).toHaveLength(asked.length);
    await expect.poll(helpers, { timeout: 8000 }).toEqual([]);
    expect(findNode(bench.runId, 'back-here').length).toBeGreaterThan(0);
  });
});

test('a stack of containers that ends with helpers in its control groups leaves neither', async (context) => {
  requireOrSkip(context, RUNTIMES[1]!.here);
  const bench = await miniBench(containersRuntime, 'two-idcs');
  const node = { node: 'sunrise-east' };
  await inject({ kind: 'host.cpu', target: node, params: { share: '20%' } }, bench);
  await inject({ kind: 'host.memory', target: node, params: { size: '64MB' } }, bench);
  await inject({ kind: 'process.pause', target: { node: 'sunset-west' }, params: {} }, bench);
  const groups = controlGroupsOf(bench.env.nodes.get('sunrise-east')!.restartSpec().container as string)!;
  expect(existsSync(groups.cpu) && existsSync(groups.memory)).toBe(true);
  await bench[Symbol.asyncDispose]();
  expect(existsSync(groups.cpu) || existsSync(groups.memory)).toBe(false);
  expect(findRun(bench.runId).map(({ command }) => command)).toEqual([]);
  expect(await containersOf(bench.runId)).toEqual([]);
});

test('what a runtime cannot do is refused when a plan is compiled, with the reason and what helps', () => {
  const powerless = { runtime: 'local', powers: ['node.kill', 'node.start'], proxy: undefined, versions: {} };
  for (const { kind, target, params } of [...EVERYWHERE, ...IN_GROUPS].filter(({ kind }) => kind.startsWith('host.'))) {
    const fault = FAULTS.find((one) => one.kind === kind)!;
    const parsed = fault.params.parse(params);
    const effects = parsed.ok ? fault.effects(parsed.value, target, layOut(stackNamed('hello'))) : [];
    const answers = effects.flatMap((effect) =>
      FAULT_DRIVERS.flatMap((driver) => driver.accepts(effect, powerless) ?? []),
    );
    expect(answers.length).toBeGreaterThan(0);
    expect(answers.filter(({ ok }) => ok)).toEqual([]);
  }
});

/** What a look from outside finds: helpers, processes that stand still, limits, frozen and limited containers. */
async function stateOf({ runId, env }: FaultBench): Promise<unknown> {
  const helpers = findRun(runId).filter(({ command }) => command.includes('=actor-'));
  const nodes = [...env.nodes.values()].map(async (node) => {
    const { spec } = node;
    const { container } = node.restartSpec();
    const isContainer = typeof container === 'string';
    const pids = (isContainer ? processesOfContainer(container) : findNode(runId, spec.id)).map(({ pid }) => pid);
    const folder = isContainer ? folderInContainer(container, '/dev/shm') : undefined;
    const found = isContainer ? await inspectContainer(container, AbortSignal.timeout(5000)) : undefined;
    return {
      id: spec.id,
      runs: pids.length > 0,
      stopped: pids.filter((pid) => stateOfProcess(pid) === 'T').length,
      limits: [...new Set(pids.map(descriptorLimit))],
      paused: found?.State.Paused,
      files: folder === undefined ? [] : readdirSync(folder.path).filter((name) => name.startsWith('.seawall')),
      limited: (found?.HostConfig.CpuQuota ?? 0) > 0 || (found?.HostConfig.NanoCpus ?? 0) > 0,
    };
  });
  return { helpers: helpers.map(({ command }) => command), nodes: await Promise.all(nodes) };
}

function stateOfProcess(pid: number): string {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
    return stat.slice(stat.lastIndexOf(')') + 2)[0]!;
  } catch {
    return 'gone';
  }
}

function descriptorLimit(pid: number): string {
  try {
    return /^Max open files.*$/m.exec(readFileSync(`/proc/${pid}/limits`, 'utf8'))![0];
  } catch {
    return 'gone';
  }
}

async function containers(): Promise<Requirement<unknown>> {
  const found = await containerEngine();
  if (found.ok) process.env.SEAWALL_IMAGES ??= found.value.imageMap;
  return found;
}
