import { HarnessError } from '../../harness/core/errors.ts';
import { findNode, killNode, type ProcessSpec, startProcess } from '../../harness/core/local-process.ts';
import type { Effect, FaultContext, FaultDriver, Undo } from '../../harness/spi/fault.ts';
import type { Json, JsonObject } from '../../harness/spi/json.ts';
import type { Capabilities, Environment, Node, NodeLife, Support } from '../../harness/spi/runtime.ts';
import { killContainer, startContainer } from './container.ts';

/** How a runtime's nodes end and start, from nothing but `node.restartSpec()`. */
interface Means {
  kill(spec: JsonObject, signal: AbortSignal): Promise<void>;
  /** No-op when it runs. */
  start(spec: JsonObject, ctx: FaultContext): Promise<void>;
}

const MEANS: Readonly<Record<string, Means>> = {
  local: {
    kill: (spec, signal) => {
      const { runId, nodeId } = processOf(spec);
      return killNode(runId, nodeId, signal);
    },
    start: async (spec, ctx) => {
      const process = processOf(spec);
      if (findNode(process.runId, process.nodeId).length > 0) return;
      await ctx.record({ runId: process.runId, nodeId: process.nodeId });
      await startProcess(process);
    },
  },
  containers: {
    kill: (spec, signal) => killContainer(textOf(spec.container), signal),
    start: (spec, ctx) => startContainer(textOf(spec.container), ctx.signal),
  },
};

/** Handles of this process's own environment: an end through them is one that the runtime expects. */
const lives = new WeakMap<Undo, NodeLife>();

/** Ends nodes by SIGKILL and starts them again. */
export const processDriver: FaultDriver = {
  name: 'process',
  accepts,
  prepare: async (effect, env, ctx) => {
    const node = await nodeOf(effect, env, ctx.signal);
    const spec = node.restartSpec();
    const undo: Undo = {
      driver: 'process',
      owner: env.runtime === 'existing' ? 'foreign' : 'run',
      on: { node: node.spec.id },
      state: spec,
    };
    meansOf(undo);
    if (node.life !== undefined) lives.set(undo, node.life);
    return undo;
  },
  apply: async (undo, ctx) => {
    const life = lives.get(undo);
    if (life === undefined) await meansOf(undo).kill(undo.state, ctx.signal);
    else await life.kill(ctx.signal);
  },
  revert: (undo, ctx) => meansOf(undo).start(undo.state, ctx),
};

function accepts(effect: Effect, { powers }: Capabilities): Support {
  if (effect.kind !== 'node.killed') {
    return { ok: false, reason: `killing processes cannot make ${effect.kind} true`, hint: 'Another driver may.' };
  }
  if (powers.includes('node.kill') && powers.includes('node.start')) return { ok: true };
  const hint = 'Use a runtime that stands the stack up itself: local or containers.';
  return { ok: false, reason: 'this runtime can neither end nor start nodes', hint };
}

/** The node meant: by its id, or whoever has the role now. */
async function nodeOf(effect: Effect, env: Environment, signal: AbortSignal): Promise<Node> {
  const { on } = effect;
  if ('node' in on) {
    const node = env.nodes.get(on.node);
    if (node !== undefined) return node;
    throw none(`there is no node ${on.node}`, '`seawall explain` lists the nodes.');
  }
  if ('link' in on) throw none(`${on.link} is a link, not a node`, 'Name a node, a service or a store.');
  const members = [...env.nodes.values()].filter((node) => node.spec.of === on.store && node.store !== undefined);
  const roles = await Promise.all(members.map((node) => node.store!.role(signal)));
  const holders = members.filter((_node, index) => roles[index] === on.role);
  if (holders.length === 1) return holders[0]!;
  const seen = members.map((node, index) => `${node.spec.id} is ${roles[index]}`).join(', ');
  throw none(
    `${on.store} has ${holders.length === 0 ? 'no' : 'more than one'} ${on.role} now: ${seen === '' ? 'no member' : seen}`,
    'The store must be whole before a fault: leave it time to recover from the one before.',
  );
}

function meansOf(undo: Undo): Means {
  const means = MEANS[textOf(undo.state.runtime)];
  if (means !== undefined) return means;
  throw new HarnessError(
    'FAULT_UNSUPPORTED',
    `nodes of the ${textOf(undo.state.runtime)} runtime can be neither ended nor started`,
    'Use the local or the containers runtime.',
  );
}

function textOf(value: Json | undefined): string {
  return typeof value === 'string' ? value : JSON.stringify(value ?? null);
}

function processOf(spec: JsonObject): ProcessSpec {
  return spec.process as unknown as ProcessSpec;
}

function none(message: string, hint: string): HarnessError {
  return new HarnessError('FAULT_TARGET_EMPTY', message, hint);
}
