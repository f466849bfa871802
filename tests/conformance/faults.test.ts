import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { FAULTS } from '../../faults/catalogue.ts';
import { proxyDriver } from '../../faults/drivers/proxy.ts';
import { type ProbeAgent, startProbeAgent } from '../../harness/observe/agent.ts';
import type { Json } from '../../harness/spi/json.ts';
import type { Capabilities } from '../../harness/spi/runtime.ts';
import {
  coldRevert,
  type FaultBench,
  type FaultCase,
  faultContext,
  heals,
  inject,
  revert,
} from '../support/fault-cycle.ts';
import { type FaultStack, faultStack } from '../support/fault-stack.ts';
import { type Engine, type EngineName, startEngine } from '../support/proxy-engine.ts';
import { requireOrSkip, toxiproxy } from '../support/requirements.ts';

const real = toxiproxy();
const ENGINES: EngineName[] = real.ok ? ['seawall', 'toxiproxy'] : ['seawall'];

/** Each fault as a plan asks for it. `database.primary-kill` needs a database: the runs of the shop cover it. */
const CASES: FaultCase[] = [
  { kind: 'network.latency', target: { link: { from: ['front-a'], to: ['back-b'] } }, params: { delay: '120ms' } },
  {
    kind: 'network.latency',
    target: { link: { from: ['front'], to: ['back'] } },
    params: { delay: '100ms', jitter: '10ms', stream: 'downstream' },
  },
  { kind: 'network.partition', target: { link: { from: ['a'], to: ['b'] } }, params: {} },
  { kind: 'network.partition', target: { link: { from: ['front-a'], to: ['back-b'] } }, params: { oneWay: true } },
  {
    kind: 'network.partition',
    target: { link: { from: ['front-a'], to: ['back-a', 'back-b'] } },
    params: { shape: 'majority-ring' },
  },
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

  const bench = (): FaultBench => ({ runId, env: stack.env, topology: stack.topology, capabilities, agent });

  test.each(CASES)('$kind $target $params bites, heals, and heals again without harm', async (asked) => {
    const injected = await inject(asked, bench());
    expect(injected.bites.filter(({ holds }) => !holds)).toEqual([]);
    expect(injected.bites).toHaveLength(injected.effects.length);
    for (let times = 1; times <= 2; times++) {
      await revert(injected, bench());
      expect((await heals(injected, bench())).filter(({ holds }) => !holds)).toEqual([]);
    }
    expect(await toxicsLeft(engine)).toEqual([]);
  });

  test.each(CASES)('$kind $target $params is healed by a cold process from the undo alone', async (asked) => {
    const injected = await inject(asked, bench());
    expect(injected.bites.filter(({ holds }) => !holds)).toEqual([]);
    await coldRevert(injected);
    expect((await heals(injected, bench())).filter(({ holds }) => !holds)).toEqual([]);
    expect(await toxicsLeft(engine)).toEqual([]);
  });

  test('foreign toxics on the same link stay', async () => {
    const url = `${engine.api}/proxies/${encodeURIComponent('front-a>back-b')}/toxics`;
    const body = JSON.stringify({ name: 'theirs', type: 'latency', attributes: { latency: 1 } });
    await fetch(url, { method: 'POST', body });
    const injected = await inject(CASES[0]!, bench());
    expect(injected.undos[0]!.state.before).toMatchObject({ enabled: true, toxics: [{ name: 'theirs' }] });
    await revert(injected, bench());
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
    const injected = await inject(CASES.find(({ kind }) => kind === 'idc.blackout')!, bench());
    expect(injected.bites.filter(({ holds }) => !holds)).toEqual([]);
    socket.write('GET / HTTP/1.1\r\nHost: x\r\n\r\n');
    await new Promise((resolve) => setTimeout(resolve, 700));
    expect(seen).toEqual([]);
    const over = new Promise((resolve) => socket.once('close', resolve));
    await revert(injected, bench());
    await over;
    expect(seen.filter((what) => what === 'data')).toEqual([]);
    socket.destroy();
  });
});

test('reverting is fine when the proxy program is gone', async () => {
  const engine = (await startEngine('seawall'))!;
  await using stack = await faultStack(engine, `faults-${process.pid}-gone`);
  const context = faultContext('gone');
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
