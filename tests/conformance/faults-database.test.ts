import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { REQUEST_VARIABLE } from '../../faults/actors/actor.ts';
import { FAULTS } from '../../faults/catalogue.ts';
import { actorDriver } from '../../faults/drivers/actor.ts';
import { findNode } from '../../harness/core/local-process.ts';
import { PROBES } from '../../harness/observe/probe.ts';
import { localRuntime } from '../../harness/runtime/local.ts';
import type { Effect } from '../../harness/spi/fault.ts';
import type { JsonObject } from '../../harness/spi/json.ts';
import type { NodeSpec } from '../../harness/spi/topology.ts';
import {
  amiss,
  cycle,
  furnish,
  leftOf,
  ON_A_PAIR,
  ON_ONE,
  postgres,
  primary,
  sql,
} from '../support/database-faults.ts';
import { type FaultBench, type FaultCase, faultContext, heals, inject, revert } from '../support/fault-cycle.ts';
import { miniBench } from '../support/mini-stack.ts';
import { requireOrSkip } from '../support/requirements.ts';

const here = postgres();

/** A driver that does less than it was asked for: what it does instead. */
const HALVES: { of: FaultCase; instead: JsonObject }[] = [
  { of: ON_ONE[0]!, instead: { setting: 'default_transaction_read_only', value: 'off' } },
  {
    of: { kind: 'database.lock-storm', target: primary, params: { tables: ['notes', 'drafts'] } },
    instead: { tables: ['drafts'], busiest: 1, rows: null },
  },
  {
    of: { kind: 'database.lock-storm', target: primary, params: { tables: ['notes'], rows: "key = 'hot'" } },
    instead: { tables: ['notes'], busiest: 1, rows: 'false' },
  },
  {
    of: { kind: 'database.deadlocks', target: primary, params: { rate: '8/s' } },
    instead: { perSecond: 4, table: null },
  },
];

test('every database fault is tried', () => {
  const tried = new Set([...ON_ONE, ...ON_A_PAIR].map(({ kind }) => kind));
  const known = FAULTS.map(({ kind }) => kind).filter((kind) => kind.startsWith('database.'));
  expect([...tried].toSorted()).toEqual(known.toSorted());
});

describe('database faults on one local node', () => {
  let bench: FaultBench & AsyncDisposable;

  beforeAll(async () => {
    if (!here.ok) return;
    bench = await miniBench(localRuntime, 'hello');
    await furnish(bench);
  });
  beforeEach((context) => void requireOrSkip(context, here));
  afterAll(() => bench?.[Symbol.asyncDispose]());

  test.each(ON_ONE)(
    '$kind $target $params bites, and a cold process heals it, as often as one likes',
    async (asked) => {
      expect(await cycle(asked, bench)).toEqual([]);
    },
  );

  test('the probes see that drivers did less than they were asked for', async () => {
    const injected = await Promise.all(
      HALVES.map(({ of, instead }) => inject(of, bench, (effect) => ({ ...effect, args: instead }))),
    );
    for (const one of injected) await revert(one, bench);
    expect(injected.map(({ bites }) => bites.map(({ holds }) => holds))).toEqual(HALVES.map(() => [false]));
    for (const one of injected) expect(await amiss(one, bench)).toEqual([]);
  });

  test('the probe sees that queries are not slow enough', async () => {
    const asked = { kind: 'database.slow-queries', target: primary, params: { factor: 4 } };
    const single = { factor: 4, sessions: 1, query: 'select 1' };
    const injected = await inject(asked, bench, (effect) => ({ ...effect, args: single }));
    await revert(injected, bench);
    expect(injected.bites).toMatchObject([{ holds: false, because: expect.stringContaining('at least 4 times') }]);
  });

  test('the probe sees that connections are left', async () => {
    const effect = effectOf('database.connection-exhaustion');
    const context = faultContext(bench.runId);
    const undo = await actorDriver.prepare(effect, bench.env, context);
    const environment = undo.state.env as Record<string, string>;
    const request = JSON.parse(environment[REQUEST_VARIABLE]!) as { args: { most: number } };
    // Half of what the server has.
    request.args.most = Math.floor(request.args.most / 2);
    environment[REQUEST_VARIABLE] = JSON.stringify(request);
    await actorDriver.apply(undo, context);
    try {
      const probe = PROBES.get(effect.bite.kind)!;
      const asked = await probe.resolve(effect.bite, bench.env, undo);
      const measured = await bench.agent.measure(probe.kind, asked, AbortSignal.timeout(10_000));
      expect(measured).toMatchObject({ holds: false, because: expect.stringContaining('3 were accepted') });
    } finally {
      await actorDriver.revert(undo, context);
    }
    expect(await amiss({ effects: [effect], undos: [undo], bites: [] }, bench)).toEqual([]);
  });

  test('a helper that is killed leaves nothing on the server, with nobody there to undo', async () => {
    const storm = await inject({ kind: 'database.lock-storm', target: primary, params: {} }, bench);
    const burden = await inject({ kind: 'database.slow-queries', target: primary, params: { factor: 2 } }, bench);
    for (const { undos } of [storm, burden]) {
      const { runId, nodeId } = undos[0]!.state as unknown as { runId: string; nodeId: string };
      for (const { pid } of findNode(runId, nodeId)) process.kill(pid, 'SIGKILL');
    }
    expect(await heals(storm, bench)).toMatchObject([{ holds: true }]);
    expect(await heals(burden, bench)).toMatchObject([{ holds: true }]);
  });

  test('a helper ends by itself when its lease does', async () => {
    const effect = effectOf('database.lock-storm');
    const context = { ...faultContext(bench.runId), expiresAtMs: Date.now() + 1500 };
    const undo = await actorDriver.prepare(effect, bench.env, context);
    await actorDriver.apply(undo, context);
    const injected = { effects: [effect], undos: [undo], bites: [] };
    expect(await heals(injected, bench)).toMatchObject([{ holds: true }]);
    const { runId, nodeId } = undo.state as unknown as { runId: string; nodeId: string };
    await expect.poll(() => findNode(runId, nodeId), { timeout: 5000 }).toEqual([]);
  });

  test('a former value of the setting is put back, not taken away', async () => {
    await sql(bench.env, "alter system set default_transaction_read_only = 'false'");
    const injected = await inject(ON_ONE[0]!, bench);
    expect(injected.bites).toMatchObject([{ holds: true }]);
    await revert(injected, bench);
    const inFile = "select setting from pg_file_settings where name = 'default_transaction_read_only'";
    expect(await sql(bench.env, inFile)).toEqual([{ setting: 'false' }]);
    await sql(bench.env, 'alter system reset default_transaction_read_only');
  });

  test('a role that sets it itself is stronger, and is told of before anything is done', async () => {
    await sql(bench.env, 'alter database notes set default_transaction_read_only = off');
    const refused = inject(ON_ONE[0]!, bench);
    await expect(refused).rejects.toMatchObject({
      code: 'FAULT_UNSUPPORTED',
      message: expect.stringMatching(/database/),
    });
    await sql(bench.env, 'alter database notes reset default_transaction_read_only');
    expect(await leftOf(bench)).toEqual([]);
  });

  test('a table that is not there is an error that names those that are', async () => {
    const asked = { kind: 'database.lock-storm', target: primary, params: { tables: ['nots'] } };
    await expect(inject(asked, bench)).rejects.toMatchObject({
      code: 'FAULT_TARGET_EMPTY',
      hint: expect.stringContaining('public.notes'),
    });
  });
});

function effectOf(kind: string): Effect {
  const fault = FAULTS.find((one) => one.kind === kind)!;
  const parsed = fault.params.parse({});
  if (!parsed.ok) throw new Error(JSON.stringify(parsed.issues));
  const node: NodeSpec = { id: 'notes-here', kind: 'store', of: 'notes', idc: 'here', ports: ['sql'] };
  return fault.effects(parsed.value, primary, { idcs: ['here'], edge: [], nodes: [node], links: [] })[0]!;
}
