import { execFile } from 'node:child_process';
import { tmpdir } from 'node:os';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { FAULTS } from '../../faults/catalogue.ts';
import type { ProbeAgent } from '../../harness/observe/agent.ts';
import { PROBES } from '../../harness/observe/probe.ts';
import { FAULT_DRIVERS } from '../../harness/registry.ts';
import type { Effect, Expectation, FaultDriver, Measurement, PrepareContext, Undo } from '../../harness/spi/fault.ts';
import type { JsonObject } from '../../harness/spi/json.ts';
import type { Target } from '../../harness/spi/plan.ts';
import type { Capabilities, Environment } from '../../harness/spi/runtime.ts';
import type { Topology } from '../../harness/spi/topology.ts';

/** A fault as a plan asks for it. */
export interface FaultCase {
  kind: string;
  target: Target;
  params: JsonObject;
}

/** Where faults are tried: a stack that is up, and the probe process. */
export interface FaultBench {
  runId: string;
  env: Environment;
  topology: Topology;
  capabilities: Capabilities;
  agent: ProbeAgent;
  /** Where helpers' output goes; absent: the system's temporary folder. */
  logs?: string;
}

/** A fault that was injected; nothing takes it back unless `revert` is called. */
export interface Injected {
  effects: Effect[];
  undos: Undo[];
  bites: Measurement[];
}

/** `logs` is the folder that helpers' output goes to. */
export function faultContext(runId: string, logs = tmpdir()): PrepareContext {
  return {
    runId,
    signal: AbortSignal.timeout(10_000),
    record: async () => undefined,
    expiresAtMs: Date.now() + 60_000,
    logs,
  };
}

/**
 * As the runner does: effects, prepare, baseline, apply, measure the bite by the probe process. `done` stands for a driver
 * that does something else than it was asked: it gets that effect, and the probe the true one's bite.
 */
export async function inject(
  asked: FaultCase,
  bench: FaultBench,
  done: (effect: Effect) => Effect = (effect) => effect,
): Promise<Injected> {
  const fault = FAULTS.find(({ kind }) => kind === asked.kind)!;
  const parsed = fault.params.parse(asked.params);
  if (!parsed.ok) throw new Error(JSON.stringify(parsed.issues));
  const effects = fault.effects(parsed.value, asked.target, bench.topology);
  const drivers = effects.map((effect) => driverFor(effect, bench.capabilities));
  const context = faultContext(bench.runId, bench.logs);
  const undos = await Promise.all(
    effects.map((effect, index) => drivers[index]!.prepare(done(effect), bench.env, context)),
  );
  const bites = await Promise.all(effects.map((effect, index) => probe(effect.bite, undos[index]!, bench)));
  for (const [index, undo] of undos.entries()) await drivers[index]!.apply(undo, context);
  return { effects, undos, bites: await Promise.all(bites.map((measure) => measure())) };
}

/** Measures whether every effect is gone. */
export async function heals({ effects, undos }: Injected, bench: FaultBench): Promise<Measurement[]> {
  return Promise.all(effects.map(async ({ heal }, index) => (await probe(heal, undos[index]!, bench))()));
}

/** In this process, the last effect first. */
export async function revert({ undos }: Injected, bench: FaultBench): Promise<void> {
  for (const undo of undos.toReversed()) {
    const driver = FAULT_DRIVERS.find(({ name }) => name === undo.driver)!;
    await driver.revert(undo, faultContext(bench.runId));
  }
}

/** By a process that knows nothing but the undos. */
export async function coldRevert({ undos }: Injected): Promise<void> {
  const program = fileURLToPath(new URL('./cold-revert.ts', import.meta.url));
  await promisify(execFile)(process.execPath, [program, JSON.stringify(undos)], { timeout: 20_000 });
}

function driverFor(effect: Effect, capabilities: Capabilities): FaultDriver {
  const answers = FAULT_DRIVERS.map((driver) => ({ driver, support: driver.accepts(effect, capabilities) }));
  const found = answers.find(({ support }) => support?.ok);
  if (found !== undefined) return found.driver;
  throw new Error(`nobody makes ${effect.kind} true: ${JSON.stringify(answers.map(({ support }) => support))}`);
}

async function probe(expected: Expectation, undo: Undo, bench: FaultBench): Promise<() => Promise<Measurement>> {
  const request = await PROBES.get(expected.kind)!.resolve(expected, bench.env, undo);
  return () => bench.agent.measure(expected.kind, request, AbortSignal.timeout(45_000));
}
