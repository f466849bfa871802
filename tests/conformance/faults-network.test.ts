import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { FAULTS } from '../../faults/catalogue.ts';
import { nftablesDriver } from '../../faults/drivers/nftables.ts';
import { type NftPlace, runNft } from '../../faults/drivers/nftables-container.ts';
import { findNode, type ProcessSpec } from '../../harness/core/local-process.ts';
import { type ProbeAgent, startProbeAgent } from '../../harness/observe/agent.ts';
import { PROBES } from '../../harness/observe/probe.ts';
import { FAULT_DRIVERS } from '../../harness/registry.ts';
import { containersRuntime } from '../../harness/runtime/containers.ts';
import { localRuntime } from '../../harness/runtime/local.ts';
import type { Effect, Expectation } from '../../harness/spi/fault.ts';
import type { JsonObject } from '../../harness/spi/json.ts';
import type { Environment, RuntimeDriver } from '../../harness/spi/runtime.ts';
import type { Topology } from '../../harness/spi/topology.ts';
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
import { type Requirement, requireOrSkip } from '../support/requirements.ts';
import { prepareContainers } from '../support/tiny-image.ts';
import { type TinyStack, tinyContext, tinyStack } from '../support/tiny-stack.ts';

const HTTP = { link: { from: ['front'], to: ['back'] } };
const SQL = { link: { from: ['back'], to: ['db'] } };

const of = (kind: string, target: typeof HTTP, params: JsonObject = {}): FaultCase => ({ kind, target, params });

/** Each fault as a plan asks for it, over a link to a service and one to a database. */
const CASES: FaultCase[] = [
  of('network.bandwidth', HTTP, { rate: '64KB/s', stream: 'downstream' }),
  of('network.bandwidth', SQL, { rate: '8Mbit/s', stream: 'downstream' }),
  of('network.bandwidth', SQL, { rate: '100KB/s', stream: 'upstream' }),
  of('network.slicer', HTTP, { size: '64B', variation: '20B', delay: '20ms' }),
  of('network.slicer', HTTP, { size: '200B', delay: '30ms', stream: 'upstream' }),
  of('network.slicer', SQL, { size: '500B', delay: '20ms', stream: 'both' }),
  of('network.reset', HTTP),
  of('network.reset', SQL, { after: '500ms' }),
  of('network.timeout', HTTP, { after: '400ms' }),
  of('network.black-hole', HTTP, { stream: 'upstream' }),
  of('network.limit-data', HTTP, { bytes: '2KB' }),
  of('network.limit-data', HTTP, { bytes: '20KB', stream: 'upstream' }),
  of('network.limit-data', SQL, { bytes: '20KB' }),
  of('network.limit-data', SQL, { bytes: '20KB', stream: 'upstream' }),
  of('network.refuse', HTTP),
  of('network.refuse', SQL),
  of('network.slow-close', HTTP, { delay: '300ms' }),
  of('network.slow-close', HTTP, { delay: '300ms', stream: 'upstream' }),
  of('network.slow-close', SQL, { delay: '300ms' }),
  of('network.flapping', HTTP, { up: '300ms', down: '300ms' }),
];

/** Measured once, not until it holds. */
function impatient(injected: Injected): Injected {
  return { ...injected, effects: injected.effects.map((effect) => ({ ...effect, heal: once(effect.heal) })) };
}

function once(expectation: Expectation): Expectation {
  return { ...expectation, args: { ...expectation.args, withinMs: 1 } };
}

/** What a plan asks for, and what a weak driver makes of it: half, or twice, or one stream of two. */
type Weak = [string, FaultCase, JsonObject];

const WEAK_BYTES: Weak[] = [
  ['twice the rate', of('network.bandwidth', SQL, { rate: '64KB/s' }), { rateKBps: 128 }],
  ['one stream of two', of('network.bandwidth', HTTP, { rate: '64KB/s' }), { stream: 'downstream' }],
  ['half the pause', of('network.slicer', HTTP, { size: '64B', delay: '40ms' }), { delayMs: 20 }],
  ['twice the size', of('network.slicer', HTTP, { size: '64B', delay: '20ms' }), { sizeBytes: 128 }],
  ['half the time', of('network.reset', HTTP, { after: '400ms' }), { afterMs: 200 }],
  ['half the time', of('network.timeout', HTTP, { after: '400ms' }), { afterMs: 200 }],
  ['half the bytes', of('network.limit-data', HTTP, { bytes: '4KB' }), { bytes: 2000 }],
  ['half the bytes', of('network.limit-data', SQL, { bytes: '20KB', stream: 'upstream' }), { bytes: 10_000 }],
  ['half the delay', of('network.slow-close', HTTP, { delay: '300ms' }), { delayMs: 150 }],
  ['half the silence', of('network.flapping', HTTP, { up: '300ms', down: '600ms' }), { downMs: 300 }],
];
const WEAK_PACKETS: Weak[] = [['half the share', of('network.loss', HTTP, { share: '40%' }), { share: 0.2 }]];

/** One of each way to be undone. */
const COLD = ['network.refuse', 'network.flapping', 'network.loss'];

const nothing: Requirement<unknown> = { ok: true, value: undefined };
const containers = await prepareContainers();

const firstOfKind = (cases: FaultCase[]): FaultCase[] => [
  ...new Map(cases.toReversed().map((one) => [one.kind, one])).values(),
];

/** What each runtime needs of the machine, and what only it can do. */
const RUNTIMES: [string, RuntimeDriver, Requirement<unknown>, FaultCase[], Weak[]][] = [
  ['local', localRuntime, nothing, CASES, WEAK_BYTES],
  [
    'containers',
    containersRuntime,
    containers,
    [
      ...firstOfKind(CASES),
      of('network.loss', HTTP, { share: '30%' }),
      of('network.loss', SQL, { share: '5%', stream: 'downstream' }),
      of('network.partition', HTTP, { layer: 'packet' }),
      of('network.partition', SQL, { layer: 'packet', oneWay: true }),
    ],
    WEAK_PACKETS,
  ],
];

describe.each(RUNTIMES)('network faults on the %s runtime', (name, runtime, required, cases, weaknesses) => {
  let tiny: TinyStack;
  let env: Environment;
  let agent: ProbeAgent;
  let bench: FaultBench;

  beforeAll(async () => {
    if (!required.ok) return;
    tiny = tinyStack();
    const context = tinyContext(tiny.folder);
    const detected = await runtime.detect(context.signal);
    if (!detected.ok) throw new Error(detected.reason);
    env = await runtime.up(tiny.stack, tiny.topology, context);
    agent = await startProbeAgent(context.runId);
    const { capabilities } = detected;
    bench = { runId: context.runId, env, topology: tiny.topology, capabilities, agent };
  });
  afterAll(async () => {
    await agent?.[Symbol.asyncDispose]();
    await env?.[Symbol.asyncDispose]();
    tiny?.[Symbol.dispose]();
  });

  test.for(cases)('$kind $target.link.to $params bites, heals, and heals again', async (asked, context) => {
    requireOrSkip(context, required);
    const injected = await inject(asked, bench);
    expect(injected.bites.filter(({ holds }) => !holds)).toEqual([]);
    expect((await heals(impatient(injected), bench)).filter(({ holds }) => holds)).toEqual([]);
    for (let times = 1; times <= 2; times++) {
      await revert(injected, bench);
      expect((await heals(injected, bench)).filter(({ holds }) => !holds)).toEqual([]);
    }
  });

  test.for(firstOfKind(cases).filter(({ kind }) => COLD.includes(kind)))(
    '$kind $target.link.to is healed by a cold process',
    async (asked, context) => {
      requireOrSkip(context, required);
      const injected = await inject(asked, bench);
      expect(injected.bites.filter(({ holds }) => !holds)).toEqual([]);
      await coldRevert(injected);
      expect((await heals(injected, bench)).filter(({ holds }) => !holds)).toEqual([]);
    },
  );

  test.for(weaknesses)('%s is no bite of %o', async ([_what, asked, less], context) => {
    requireOrSkip(context, required);
    const [effect] = effectsOf(asked, bench.topology);
    const weak = { ...effect!, args: { ...effect!.args, ...less } };
    const driver = FAULT_DRIVERS.find((one) => one.accepts(weak, bench.capabilities)?.ok)!;
    const doing = faultContext(bench.runId);
    const undo = await driver.prepare(weak, env, doing);
    const request = await PROBES.get(effect!.bite.kind)!.resolve(once(effect!.bite), env, undo);
    await driver.apply(undo, doing);
    const measured = await agent.measure(effect!.bite.kind, request, AbortSignal.timeout(20_000));
    await driver.revert(undo, doing);
    expect(measured).toMatchObject({ holds: false });
  });

  test('a helper that is killed while its link is silent leaves the link whole', async (context) => {
    requireOrSkip(context, required);
    const injected = await inject(of('network.flapping', HTTP, { up: '200ms', down: '1s' }), bench);
    expect(injected.bites.filter(({ holds }) => !holds)).toEqual([]);
    const helper = injected.undos[0]!.state.helper as unknown as { state: ProcessSpec };
    const { runId, nodeId } = helper.state;
    for (const { pid, command } of findNode(runId, nodeId))
      if (command.includes('flap-link')) process.kill(pid, 'SIGKILL');
    const measured = await heals(injected, bench);
    expect(measured.filter(({ holds }) => !holds)).toEqual([]);
    expect(findNode(runId, nodeId).map(({ command }) => command)).toEqual([]);
    await revert(injected, bench);
  });

  if (name !== 'containers') return;

  const dropped = (): Effect => effectsOf(of('network.partition', HTTP, { layer: 'packet' }), bench.topology)[0]!;
  const answers = async (withinMs: number): Promise<boolean> => {
    const probe = PROBES.get('link.answers')!;
    const request = await probe.resolve({ kind: 'link.answers', on: dropped().on, args: { withinMs } }, env, undefined);
    return (await probe.measure(request, AbortSignal.timeout(20_000))).holds;
  };

  test('the kernel lets go of packet rules when the lease is over, with nobody left to revert', async (context) => {
    requireOrSkip(context, required);
    const doing = { ...faultContext('lease'), expiresAtMs: Date.now() + 3000 };
    const undo = await nftablesDriver.prepare(dropped(), env, doing);
    await nftablesDriver.apply(undo, doing);
    expect(await answers(1)).toBe(false);
    expect(await answers(6000)).toBe(true);
    await nftablesDriver.revert(undo, doing);
  });

  test('only our own table of packet rules is removed', async (context) => {
    requireOrSkip(context, required);
    const doing = faultContext('own');
    const undo = await nftablesDriver.prepare(dropped(), env, doing);
    const { place, table } = undo.state as unknown as { place: NftPlace; table: string };
    await runNft(place, 'add table inet theirs', doing.signal);
    await nftablesDriver.apply(undo, doing);
    await nftablesDriver.revert(undo, doing);
    await expect(runNft(place, `delete table inet ${table}`, doing.signal)).rejects.toThrow('nft');
    await expect(runNft(place, 'delete table inet theirs', doing.signal)).resolves.toBeUndefined();
  });
});

function effectsOf(asked: FaultCase, topology: Topology): Effect[] {
  const fault = FAULTS.find(({ kind }) => kind === asked.kind)!;
  const params = fault.params.parse(asked.params);
  if (!params.ok) throw new Error(JSON.stringify(params.issues));
  return fault.effects(params.value, asked.target, topology);
}
