import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { startProbeAgent } from '../../harness/observe/agent.ts';
import { checkStack } from '../../harness/plan/check-stack.ts';
import { type LoadWorld, loadPlan, realWorld } from '../../harness/plan/load.ts';
import { layOut } from '../../harness/plan/topology.ts';
import type { RuntimeDriver } from '../../harness/spi/runtime.ts';
import type { Stack } from '../../harness/spi/stack.ts';
import type { FaultBench } from './fault-cycle.ts';
import { tinyContext } from './tiny-stack.ts';

/** A stack of fixtures/stacks by its file's name, without a plan. */
export function stackNamed(name: string): Stack {
  const file = fileURLToPath(new URL(`../../fixtures/stacks/${name}.yaml`, import.meta.url));
  const plan = `${file}.plan`;
  const read = (path: string): string => (path === plan ? `stack: ${JSON.stringify(file)}\n` : realWorld.read(path));
  const world: LoadWorld = { ...realWorld, read, exists: (path) => path === plan || realWorld.exists(path) };
  const { loaded, issues } = loadPlan(plan, {}, world);
  const { stack } = loaded === undefined ? { stack: undefined } : checkStack(loaded, world);
  const wrong = [...issues, ...(loaded?.issues ?? [])];
  if (stack === undefined || wrong.length > 0) throw new Error(`${name}: ${JSON.stringify(wrong)}`);
  return stack;
}

/** A stack of fixtures/stacks that is up on a runtime, with a probe process beside it, for trying faults on. */
export async function miniBench(driver: RuntimeDriver, name: string): Promise<FaultBench & AsyncDisposable> {
  const stack = stackNamed(name);
  const topology = layOut(stack);
  const folder = mkdtempSync(join(tmpdir(), 'seawall-mini-'));
  const detected = await driver.detect(AbortSignal.timeout(20_000));
  if (!detected.ok) throw new Error(`${detected.reason}: ${detected.hint}`);
  const context = tinyContext(folder);
  const env = await driver.up(stack, topology, context);
  const agent = await startProbeAgent(context.runId);
  return {
    runId: context.runId,
    env,
    topology,
    capabilities: detected.capabilities,
    agent,
    logs: folder,
    [Symbol.asyncDispose]: async () => {
      await agent[Symbol.asyncDispose]();
      await env[Symbol.asyncDispose]();
      rmSync(folder, { recursive: true, force: true });
    },
  };
}
