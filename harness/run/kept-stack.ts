import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { isDeepStrictEqual } from 'node:util';
import { HarnessError } from '../core/errors.ts';
import type { JsonObject } from '../spi/json.ts';
import type { Environment, RuntimeContext, RuntimeDriver } from '../spi/runtime.ts';
import type { Stack } from '../spi/stack.ts';
import type { Topology } from '../spi/topology.ts';
import { writeFailure } from './append-file.ts';

const FILE = 'stack.json';

/** A stack that outlives the process that stood it up: all that another one needs to go on with it. */
export interface KeptStack {
  version: 1;
  /** That of the run that stood it up. */
  stackId: string;
  runDir: string;
  runtime: string;
  proxy: 'seawall' | 'toxiproxy';
  seed: number;
  /** Absolute path that relative ones in `planText` start from; the file need not exist. */
  planFile: string;
  planText: string;
  /** What `--set` said. */
  overrides: Record<string, string>;
  stack: Stack;
  topology: Topology;
  /** The runtime's own. */
  state: JsonObject;
}

/** Lets go of the environment and writes down what `attach` needs, for this user's eyes only: passwords are in it. */
export async function keepStack(env: Environment, about: Omit<KeptStack, 'version' | 'state'>): Promise<KeptStack> {
  if (env.keep === undefined) {
    const hint = 'Use a runtime that stands the stack up itself: local or containers.';
    throw new HarnessError('RUNTIME_UNSUPPORTED', `the ${env.runtime} runtime has nothing to keep`, hint);
  }
  const kept: KeptStack = { version: 1, ...about, state: await env.keep() };
  try {
    writeFileSync(join(about.runDir, FILE), JSON.stringify(kept), { mode: 0o600, flush: true });
  } catch (thrown) {
    throw writeFailure(about.runDir, thrown);
  }
  return kept;
}

export function readKept(runDir: string): KeptStack {
  const path = join(runDir, FILE);
  try {
    return JSON.parse(readFileSync(path, 'utf8')) as KeptStack;
  } catch (thrown) {
    const hint = 'Without it the stack can only be taken down: seawall down';
    throw new HarnessError(
      'FILE_UNREADABLE',
      `${path}, which tells about the kept stack, could not be read`,
      hint,
      thrown,
    );
  }
}

/** Whether two stacks stand for the same nodes, links and data, wherever their files lie. */
export function sameStack(a: Stack, b: Stack): boolean {
  // What users ask of it may differ: only what stands must not.
  const standing = ({ idcs, edge, entry, services, stores }: Stack) => ({ idcs, edge, entry, services, stores });
  return isDeepStrictEqual(JSON.parse(JSON.stringify(standing(a))), JSON.parse(JSON.stringify(standing(b))));
}

/** The kept stack's environment, with the powers of the runtime that it stands on. */
export async function attachTo(
  kept: KeptStack,
  runtime: RuntimeDriver,
  ctx: Pick<RuntimeContext, 'signal' | 'record' | 'progress'>,
): Promise<Environment> {
  const { stack, topology, state, stackId, runDir, proxy, seed } = kept;
  if (runtime.attach === undefined) {
    const hint = `Take it down: seawall down ${stackId}`;
    throw new HarnessError('RUNTIME_UNSUPPORTED', `the ${runtime.name} runtime cannot attach to a kept stack`, hint);
  }
  return runtime.attach(stack, topology, state, { ...ctx, runId: stackId, runDir, proxy, seed });
}

/** A runtime whose `up` finds the kept stack again. Its `reap` removes what the run itself left there, not the stack. */
export function onKept(kept: KeptStack, runtime: RuntimeDriver): RuntimeDriver {
  return { ...runtime, up: (_stack, _topology, ctx) => attachTo(kept, runtime, ctx) };
}
