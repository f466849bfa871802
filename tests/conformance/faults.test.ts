import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { FAULTS } from '../../faults/catalogue.ts';
import { processDriver } from '../../faults/drivers/process.ts';
import { proxyDriver } from '../../faults/drivers/proxy.ts';
import { type ProbeAgent, startProbeAgent } from '../../harness/observe/agent.ts';
import { PROBES } from '../../harness/observe/probe.ts';
import type { Effect, Expectation, FaultContext, FaultDriver, Measurement, Undo } from '../../harness/spi/fault.ts';
import type { Json, JsonObject } from '../../harness/spi/json.ts';
import type { Target } from '../../harness/spi/plan.ts';
import type { Capabilities } from '../../harness/spi/runtime.ts';
import { type FaultStack, faultStack } from '../support/fault-stack.ts';
import { type Engine, type EngineName, startEngine } from '../support/proxy-engine.ts';
import { requireOrSkip, toxiproxy } from '../support/requirements.ts';

const DRIVERS: FaultDriver[] = [proxyDriver, processDriver];
const real = toxiproxy();
const ENGINES: EngineName[] = real.ok ? ['seawall', 'toxiproxy'] : ['seawall'];

/** Each fault as a plan asks for it. `database.primary-kill` needs a database: the runs of the shop cover it. */
const CASES: { kind: string; target: Target; params: JsonObject }[] = [
  { kind: 'network.latency', target: { link: { from: ['front-a'], to: ['back-b'] } }, params: { delay: '120ms' } },
  {
    kind: 'network.latency',
    target: { link: { from: ['front'], to: ['back'] } },
    params: { delay: '100ms', jitter: '10ms', stream: 'downstream' },
  },
  { kind: 'network.partition', target: { link: { from: ['a'], to: ['b'] } }, params: {} },
  { kind: 'network.partition', target: { link: { from: ['front-a'], to: ['back-b'] } }, params: { oneWay: true } },
  { kind: 'process.kill', target: { node: 'back-b' }, params: {} },
  { kind: 'process.kill', target: { service: 'back', idc: 'a' }, params: {} },
  { kind: 'idc.blackout', target: { idc: 'b' }, params: {} },
];

test('the real Toxiproxy is here to compare with', (context) => {
  expect(requireOrSkip(context, real).path).toContain('toxiproxy');
});

describe.each(ENGINES)('faults over %s', (engineName) => {
  const runId = `faults-${process.pid}-${engineName}`;
  let engine: Engine;
  let stack: FaultStack;
  let agent: ProbeAgent;
  let capabilities: Capabilities;

  beforeAll(async () => {
    engine = (await startEngine(engineName))!;
    agent = await startProbeAgent(runId);
    const powers = ['node.kill', 'node.start', 'link.toxics', 'link.blackhole-silent'];
    capabilities = { runtime: 'local', powers, proxy: { engine: engineName, version: '' }, versions: {} };
  });
  afterAll(async () => {
    await agent?.[Symbol.asyncDispose]();
    await engine?.[Symbol.asyncDispose]();
  });
  beforeEach(async () => {
    await fetch(`${engine.api}/reset`, { method: 'POST' });
    for (const name of Object.keys(await proxies(engine))) {
      await fetch(`${engine.api}/proxies/${encodeURIComponent(name)}`, { method: 'DELETE' });
    }
    stack = await faultStack(engine, runId);
  });
  afterEach(() => stack[Symbol.asyncDispose]());

  const context = (): FaultContext => ({
    runId,
    signal: AbortSignal.timeout(10_000),
    record: async () => undefined,
  });
  const probe = async (expected: Expectation, undo: Undo): Promise<() => Promise<Measurement>> => {
    const request = await PROBES.get(expected.kind)!.resolve(expected, stack.env, undo);
    return () => agent.measure(expected.kind, request, AbortSignal.timeout(45_000));
  };

  /** As the runner does: prepare, baseline, apply, measure. */
  async function inject({ kind, target, params }: (typeof CASES)[number]) {
    const fault = FAULTS.find((found) => found.kind === kind)!;
    const parsed = fault.params.parse(params);
    if (!parsed.ok) throw new Error(JSON.stringify(parsed.issues));
    const effects = fault.effects(parsed.value, target, stack.topology);
    const drivers = effects.map((effect) => DRIVERS.find((driver) => driver.accepts(effect, capabilities).ok)!);
    const undos = await Promise.all(
      effects.map((effect, index) => drivers[index]!.prepare(effect, stack.env, context())),
    );
    const bites = await Promise.all(effects.map((effect, index) => probe(effect.bite, undos[index]!)));
    for (const [index, undo] of undos.entries()) await drivers[index]!.apply(undo, context());
    return { effects, undos, bites: await Promise.all(bites.map((measure) => measure())) };
  }
  async function heals(effects: Effect[], undos: Undo[]): Promise<Measurement[]> {
    return Promise.all(effects.map(async (effect, index) => (await probe(effect.heal, undos[index]!))()));
  }
  async function revertAll(undos: Undo[]): Promise<void> {
    for (const undo of undos.toReversed()) {
      await DRIVERS.find(({ name }) => name === undo.driver)!.revert(undo, context());
    }
  }

  test.each(CASES)('$kind $target $params bites, heals, and heals again without harm', async (asked) => {
    const { effects, undos, bites } = await inject(asked);
    expect(bites.filter(({ holds }) => !holds)).toEqual([]);
    expect(bites).toHaveLength(effects.length);
    await revertAll(undos);
    expect((await heals(effects, undos)).filter(({ holds }) => !holds)).toEqual([]);
    await revertAll(undos);
    expect((await heals(effects, undos)).filter(({ holds }) => !holds)).toEqual([]);
    expect(await toxicsLeft(engine)).toEqual([]);
  });

  test.each(CASES)('$kind $target $params is healed by a cold process from the undo alone', async (asked) => {
    const { effects, undos, bites } = await inject(asked);
    expect(bites.filter(({ holds }) => !holds)).toEqual([]);
    await coldRevert(undos);
    expect((await heals(effects, undos)).filter(({ holds }) => !holds)).toEqual([]);
    expect(await toxicsLeft(engine)).toEqual([]);
  });

  test('foreign toxics on the same link stay', async () => {
    const url = `${engine.api}/proxies/${encodeURIComponent('front-a>back-b')}/toxics`;
    const body = JSON.stringify({ name: 'theirs', type: 'latency', attributes: { latency: 1 } });
    await fetch(url, { method: 'POST', body });
    const { undos } = await inject(CASES[0]!);
    expect(undos[0]!.state.before).toMatchObject({ enabled: true, toxics: [{ name: 'theirs' }] });
    await revertAll(undos);
    expect(await toxicsLeft(engine)).toEqual(['theirs']);
  });

  test('a connection that was open before a blackout sees neither data, FIN nor RST while it holds', async () => {
    const { connect } = await import('node:net');
    const { listen } = stack.env.links.get('front-a>back-b')!;
    const socket = connect({ ...listen });
    const seen: string[] = [];
    const answered = new Promise((resolve) => socket.once('data', resolve));
    socket.write('GET / HTTP/1.1\r\nHost: x\r\n\r\n');
    await answered;
    socket.on('data', () => seen.push('data'));
    socket.on('end', () => seen.push('end'));
    socket.on('error', () => seen.push('error'));
    const { undos, bites } = await inject(CASES.find(({ kind }) => kind === 'idc.blackout')!);
    expect(bites.filter(({ holds }) => !holds)).toEqual([]);
    socket.write('GET / HTTP/1.1\r\nHost: x\r\n\r\n');
    await new Promise((resolve) => setTimeout(resolve, 700));
    expect(seen).toEqual([]);
    const over = new Promise((resolve) => socket.once('close', resolve));
    await revertAll(undos);
    await over;
    expect(seen.filter((what) => what === 'data')).toEqual([]);
    socket.destroy();
  });
});

test('reverting is fine when the proxy program is gone', async () => {
  const engine = (await startEngine('seawall'))!;
  await using stack = await faultStack(engine, `faults-${process.pid}-gone`);
  const context: FaultContext = { runId: 'gone', signal: AbortSignal.timeout(5000), record: async () => undefined };
  const fault = FAULTS.find(({ kind }) => kind === 'network.partition')!;
  const [effect] = fault.effects({ oneWay: false }, { link: { from: ['a'], to: ['b'] } }, stack.topology);
  const undo = await proxyDriver.prepare(effect!, stack.env, context);
  await proxyDriver.apply(undo, context);
  await engine[Symbol.asyncDispose]();
  await expect(proxyDriver.revert(undo, context)).resolves.toBeUndefined();
});

test('a probe process that dies fails what it was measuring, with its code', async () => {
  await using agent = await startProbeAgent('faults-agent');
  const nowhere: Json = { address: { host: '127.0.0.1', port: 1 }, port: 'http', withinMs: 30_000 };
  const measured = agent.measure('node.up', nowhere, AbortSignal.timeout(20_000));
  process.kill(agent.pid, 'SIGKILL');
  await expect(measured).rejects.toMatchObject({ code: 'PROBE_FAILED' });
  await expect(agent.measure('node.up', nowhere, AbortSignal.timeout(1000))).rejects.toMatchObject({
    code: 'PROBE_FAILED',
  });
});

async function proxies(engine: Engine): Promise<Record<string, { toxics: { name: string }[] }>> {
  return (await (await fetch(`${engine.api}/proxies`)).json()) as Record<string, { toxics: { name: string }[] }>;
}

async function toxicsLeft(engine: Engine): Promise<string[]> {
  return Object.values(await proxies(engine)).flatMap(({ toxics }) => toxics.map(({ name }) => name));
}

async function coldRevert(undos: Undo[]): Promise<void> {
  const program = fileURLToPath(new URL('../support/cold-revert.ts', import.meta.url));
  await promisify(execFile)(process.execPath, [program, JSON.stringify(undos)], { timeout: 20_000 });
}
