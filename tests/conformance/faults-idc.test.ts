import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { FAULTS } from '../../faults/catalogue.ts';
import { exchange } from '../../harness/observe/exchange.ts';
import { containersRuntime } from '../../harness/runtime/containers.ts';
import { localRuntime } from '../../harness/runtime/local.ts';
import type { Effect } from '../../harness/spi/fault.ts';
import type { RuntimeDriver } from '../../harness/spi/runtime.ts';
import {
  coldRevert,
  type FaultBench,
  type FaultCase,
  heals,
  type Injected,
  inject,
  revert,
} from '../support/fault-cycle.ts';
import { miniBench } from '../support/mini-stack.ts';
import { containerEngine, type Requirement, requireOrSkip } from '../support/requirements.ts';

const east = { idc: 'east' };
const line = { link: { from: ['east'], to: ['west'] } };

const CASES: FaultCase[] = [
  { kind: 'idc.isolation', target: east, params: {} },
  { kind: 'idc.isolation', target: east, params: { edge: 'kept' } },
  { kind: 'idc.isolation', target: east, params: { lost: 'in' } },
  { kind: 'idc.isolation', target: east, params: { lost: 'out' } },
  { kind: 'idc.slow-link', target: line, params: { delay: '120ms', jitter: '10ms' } },
  { kind: 'idc.blackout', target: east, params: {} },
];

const RUNTIMES: { driver: RuntimeDriver; here: Requirement<unknown> }[] = [
  { driver: localRuntime, here: { ok: true, value: 'processes' } },
  { driver: containersRuntime, here: await containers() },
];

test('every fault of data centres is tried here', () => {
  const known = FAULTS.map(({ kind }) => kind).filter((kind) => kind.startsWith('idc.'));
  expect([...new Set(CASES.map(({ kind }) => kind))].toSorted()).toEqual(known.toSorted());
});

for (const { driver, here } of RUNTIMES) {
  describe(`faults of data centres on ${driver.name}`, () => {
    let bench: FaultBench & AsyncDisposable;
    let injected: Injected | undefined;

    beforeAll(async () => {
      if (here.ok) bench = await miniBench(driver, 'two-idcs');
    });
    afterAll(() => bench?.[Symbol.asyncDispose]());
    beforeEach((context) => void requireOrSkip(context, here));
    // One that failed must not spoil the next: reverting again does no harm.
    afterEach(async () => {
      if (injected === undefined) return;
      await revert(injected, bench);
      await heals(injected, bench);
      injected = undefined;
    });

    test.each(CASES)('$kind $target $params bites, heals, and heals again without harm', async (asked) => {
      injected = await inject(asked, bench);
      expect(injected.bites.filter(({ holds }) => !holds)).toEqual([]);
      for (let times = 1; times <= 2; times++) {
        await revert(injected, bench);
        expect((await heals(injected, bench)).filter(({ holds }) => !holds)).toEqual([]);
      }
      expect(await toxicsLeft(bench)).toEqual([]);
    });

    test.each(CASES)('$kind $target $params is healed by a cold process from the undo alone', async (asked) => {
      injected = await inject(asked, bench);
      expect(injected.bites.filter(({ holds }) => !holds)).toEqual([]);
      await coldRevert(injected);
      expect((await heals(injected, bench)).filter(({ holds }) => !holds)).toEqual([]);
      expect(await toxicsLeft(bench)).toEqual([]);
    });

    test('an isolated IDC is up: its nodes answer whoever stands in it, and so does everybody else', async () => {
      injected = await inject(CASES[0]!, bench);
      expect(await straight(bench)).toEqual({ 'front-edge': 'byte', 'sunrise-east': 'byte', 'sunset-west': 'byte' });
      expect(await overLinks(bench)).toEqual({
        'front-edge>sunrise-east': 'silence',
        'front-edge>sunset-west': 'byte',
        'sunrise-east>sunset-west': 'silence',
        'sunset-west>sunrise-east': 'silence',
      });
    });

    test('with its edge kept, only the other data centre is out of reach', async () => {
      injected = await inject(CASES[1]!, bench);
      expect(await overLinks(bench)).toEqual({
        'front-edge>sunrise-east': 'byte',
        'front-edge>sunset-west': 'byte',
        'sunrise-east>sunset-west': 'silence',
        'sunset-west>sunrise-east': 'silence',
      });
    });

    test('a line that is slowed by half of what was asked is no bite', async () => {
      const half = (effect: Effect): Effect => ({ ...effect, args: { ...effect.args, delayMs: 200 } });
      injected = await inject({ kind: 'idc.slow-link', target: line, params: { delay: '400ms' } }, bench, half);
      expect(injected.bites.map(({ holds, because }) => (holds ? because : 'no bite'))).toEqual(['no bite', 'no bite']);
    });
  });
}

async function straight({ env }: FaultBench): Promise<Record<string, string>> {
  const asked = [...env.nodes.keys()].map(async (id) => {
    const { outcome } = await exchange(env.endpoint(id, 'http', 'tool'), 'http', 1000, AbortSignal.timeout(5000));
    return [id, outcome] as const;
  });
  return Object.fromEntries(await Promise.all(asked));
}

async function overLinks({ env }: FaultBench): Promise<Record<string, string>> {
  const asked = [...env.links.values()].map(async ({ id, listen }) => {
    const { outcome } = await exchange(listen, 'http', 600, AbortSignal.timeout(5000));
    return [id, outcome] as const;
  });
  return Object.fromEntries(await Promise.all(asked));
}

async function toxicsLeft({ env }: FaultBench): Promise<string[]> {
  const apis = [...new Set([...env.links.values()].map(({ proxy }) => proxy.api))];
  const answers = await Promise.all(apis.map((api) => fetch(`${api}/proxies`)));
  const proxies = (await Promise.all(answers.map((answer) => answer.json()))) as Record<
    string,
    { toxics: { name: string }[] }
  >[];
  return proxies.flatMap((each) => Object.values(each)).flatMap(({ toxics }) => toxics.map(({ name }) => name));
}

async function containers(): Promise<Requirement<unknown>> {
  const found = await containerEngine();
  if (found.ok) process.env.SEAWALL_IMAGES ??= found.value.imageMap;
  return found;
}
