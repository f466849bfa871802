import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { localRuntime } from '../../harness/runtime/local.ts';
import { amiss, cycle, ON_A_PAIR, postgres, primary, standby } from '../support/database-faults.ts';
import { coldRevert, type FaultBench, heals, inject, revert } from '../support/fault-cycle.ts';
import { miniBench } from '../support/mini-stack.ts';
import { requireOrSkip } from '../support/requirements.ts';

const here = postgres();

describe('database faults on a local pair', () => {
  let bench: FaultBench & AsyncDisposable;

  beforeAll(async () => {
    if (here.ok) bench = await miniBench(localRuntime, 'replicated');
  });
  beforeEach((context) => void requireOrSkip(context, here));
  afterAll(() => bench?.[Symbol.asyncDispose]());

  test.each(ON_A_PAIR)(
    '$kind $target $params bites, and a cold process heals it, as often as one likes',
    async (asked) => {
      expect(await cycle(asked, bench)).toEqual([]);
    },
  );

  test('half the lag is no lag', async () => {
    const asked = { kind: 'database.replication-lag', target: standby, params: { lag: '1s' } };
    const half = { setting: 'recovery_min_apply_delay', value: '500ms' };
    const injected = await inject(asked, bench, (effect) => ({ ...effect, args: half }));
    await revert(injected, bench);
    expect(injected.bites).toMatchObject([{ holds: false, because: expect.stringContaining('asked 1000') }]);
    expect(await amiss(injected, bench)).toEqual([]);
  });

  test('a lag that is too long to be waited out is held, and is what the standby says', async () => {
    const injected = await inject({ kind: 'database.replication-lag', target: standby, params: { lag: '10m' } }, bench);
    await revert(injected, bench);
    expect(injected.bites).toMatchObject([{ holds: true, because: expect.stringContaining('says 600000 ms') }]);
    expect(await heals(injected, bench)).toMatchObject([{ holds: true }]);
  });

  test('a primary that hangs longer than its witness waits comes back as the standby', async () => {
    const injected = await inject({ kind: 'database.primary-hang', target: primary, params: {} }, bench);
    expect(injected.bites).toMatchObject([{ holds: true }]);
    const { node } = injected.undos[0]!.on as { node: string };
    const other = [...bench.env.nodes.values()].find(({ spec, store }) => store !== undefined && spec.id !== node)!;
    const role = () => other.store!.role(AbortSignal.timeout(2000));
    await expect.poll(role, { timeout: 15_000 }).toBe('primary');
    await coldRevert(injected);
    expect(await heals(injected, bench)).toMatchObject([{ holds: true }]);
    expect(await bench.env.nodes.get(node)!.store!.role(AbortSignal.timeout(2000))).toBe('standby');
  });
});
