import { mkdirSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startKeeper } from '../../harness/commands/keeper.ts';
import { findNode, killNode } from '../../harness/core/local-process.ts';
import { identify, type ProcessIdentity } from '../../harness/core/process-identity.ts';
import { type ProbeAgent, startProbeAgent } from '../../harness/observe/agent.ts';
import { openAppend } from '../../harness/run/append-file.ts';
import { Ledger, readLedger } from '../../harness/run/ledger.ts';
import { eventually } from '../support/cli.ts';
import { type FaultBench, heals, type Injected, inject, revert } from '../support/fault-cycle.ts';
import { type FaultStack, faultStack } from '../support/fault-stack.ts';
import { type Engine, startEngine } from '../support/proxy-engine.ts';

const runId = `leases-${process.pid}`;
/** No process has this start time. */
const DEAD: ProcessIdentity = { pid: process.pid, started: 'never' };

describe('the keeper of leases, a process of its own', () => {
  let engine: Engine;
  let stack: FaultStack;
  let agent: ProbeAgent;
  let folder = '';
  let tests = 0;

  beforeAll(async () => {
    folder = mkdtempSync(join(tmpdir(), 'leases-'));
    engine = (await startEngine('seawall'))!;
    agent = await startProbeAgent(runId);
    stack = await faultStack(engine, runId);
  });
  afterAll(async () => {
    await killNode(runId, 'keeper', AbortSignal.timeout(5000));
    await stack?.[Symbol.asyncDispose]();
    await agent?.[Symbol.asyncDispose]();
    await engine?.[Symbol.asyncDispose]();
    rmSync(folder, { recursive: true, force: true });
  });

  const bench = (): FaultBench => ({
    ...{ runId, env: stack.env, topology: stack.topology, agent },
    capabilities: {
      runtime: 'local',
      powers: ['node.kill', 'node.start', 'link.toxics', 'link.blackhole-silent'],
      proxy: { engine: 'seawall', version: '' },
      versions: {},
    },
  });

  /** A run's ledger with the effects of a fault that was injected, and its keeper. */
  async function kept(owner: ProcessIdentity, injected: Injected, leaseMs: number) {
    const runDir = join(folder, `run-${++tests}`);
    mkdirSync(join(runDir, 'logs'), { recursive: true });
    const path = join(runDir, 'ledger.ndjson');
    const ledger = new Ledger(openAppend(path));
    ledger.write({ type: 'opened', runId, runtime: 'local', owner, atMs: Date.now() });
    const expiresAtMs = Date.now() + leaseMs;
    for (const [index, undo] of injected.undos.entries()) {
      ledger.write({ type: 'undo', id: `fault/${index}`, fault: 'fault', undo, expiresAtMs });
    }
    const keeper = await startKeeper(runId, path);
    return { path, ledger, keeper, log: () => readFileSync(join(runDir, 'logs/keeper.log'), 'utf8') };
  }
  const slow = () =>
    inject(
      { kind: 'network.latency', target: { link: { from: ['front-a'], to: ['back-b'] } }, params: { delay: '90ms' } },
      bench(),
    );
  const toxics = async (): Promise<unknown[]> => {
    const answer = await fetch(`${engine.api}/proxies/${encodeURIComponent('front-a>back-b')}/toxics`);
    return (await answer.json()) as unknown[];
  };
  const keeperGone = () => eventually('the keeper ends', () => findNode(runId, 'keeper').length === 0, 20_000);

  it('undoes what a dead tool left, when the lease is over and not before, and ends', async () => {
    const injected = await slow();
    const { path } = await kept(DEAD, injected, 3000);
    expect(await toxics()).toHaveLength(2);
    await keeperGone();
    expect(readLedger(path).undos).toEqual([]);
    expect(readFileSync(path, 'utf8')).toContain('"by":"lease"');
    expect((await heals(injected, bench())).every(({ holds }) => holds)).toBe(true);
  });

  it('starts a killed node again', async () => {
    const injected = await inject({ kind: 'process.kill', target: { node: 'back-b' }, params: {} }, bench());
    const { path } = await kept(DEAD, injected, 500);
    await keeperGone();
    expect((await heals(injected, bench())).every(({ holds }) => holds)).toBe(true);
    expect(readLedger(path).undos).toEqual([]);
  });

  it('does so beside a tool that lives and hangs, and ends when the ledger is closed', async () => {
    const injected = await slow();
    const { ledger, log, path } = await kept(identify(process.pid)!, injected, 500);
    await eventually('the undo', () => readLedger(path).undos.length === 0, 20_000);
    expect(log()).toContain('its lease was over, undone');
    expect(findNode(runId, 'keeper')).toHaveLength(1);
    ledger.write({ type: 'closed' });
    await keeperGone();
    expect((await heals(injected, bench())).every(({ holds }) => holds)).toBe(true);
  });

  it('leaves alone what the tool has undone itself', async () => {
    const injected = await slow();
    const { ledger, log } = await kept(DEAD, injected, 60_000);
    ledger.write({ type: 'undone', id: 'fault/0' });
    await keeperGone();
    expect(log()).toBe('');
    expect(await toxics()).toHaveLength(2);
    await revert(injected, bench());
  });
});
