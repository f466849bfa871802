import type { Effect, FaultDriver, Undo } from '../../harness/spi/fault.ts';
import type { Capabilities, NodeLife, Support } from '../../harness/spi/runtime.ts';
import { meansFor } from './node-means.ts';
import { nodeOf } from './node-of.ts';

/** Handles of this process's own environment: an end through them is one that the runtime expects. */
const lives = new WeakMap<Undo, NodeLife>();

/** Ends nodes by SIGKILL and starts them again: when the effect is over, or at once. */
export const processDriver: FaultDriver = {
  name: 'process',
  accepts,
  prepare: async (effect, env, ctx) => {
    const node = await nodeOf(effect, env, ctx.signal);
    const restart = node.restartSpec();
    meansFor(restart);
    const undo: Undo = {
      driver: 'process',
      owner: env.owner,
      on: { node: node.spec.id },
      state: effect.kind === 'node.restarted' ? { ...restart, startAtOnce: true } : restart,
    };
    if (node.life !== undefined) lives.set(undo, node.life);
    return undo;
  },
  apply: async (undo, ctx) => {
    const means = meansFor(undo.state);
    const life = lives.get(undo);
    if (life === undefined) await means.kill(undo.state, ctx.signal);
    else await life.kill(ctx.signal);
    if (undo.state.startAtOnce === true) await means.start(undo.state, ctx);
  },
  revert: (undo, ctx) => meansFor(undo.state).start(undo.state, ctx),
};

function accepts(effect: Effect, { powers }: Capabilities): Support | undefined {
  if (effect.kind !== 'node.killed' && effect.kind !== 'node.restarted') {
    return undefined;
  }
  if (powers.includes('node.kill') && powers.includes('node.start')) return { ok: true };
  const hint = 'Use a runtime that stands the stack up itself: local or containers.';
  return { ok: false, reason: 'this runtime can neither end nor start nodes', hint };
}
