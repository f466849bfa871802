import type { Effect, FaultDriver } from '../../harness/spi/fault.ts';
import type { Capabilities, Support } from '../../harness/spi/runtime.ts';
import { BURN_CPU, HOLD_MEMORY } from '../actors/host-acts.ts';
import { actorDriver } from './actor.ts';

const HELPERS: Readonly<Record<string, string>> = {
  'node.cpu-stressed': BURN_CPU,
  'node.memory-taken': HOLD_MEMORY,
};

/** A helper beside a node takes what the node needs: in the control group of its container, or on the whole machine. */
export const stressDriver: FaultDriver = {
  name: 'stress',
  accepts,
  prepare: async (effect, env, ctx) => {
    const undo = await actorDriver.prepare({ ...effect, kind: HELPERS[effect.kind]! }, env, ctx);
    return { ...undo, driver: 'stress' };
  },
  apply: (undo, ctx) => actorDriver.apply(undo, ctx),
  revert: (undo, ctx) => actorDriver.revert(undo, ctx),
};

function accepts(effect: Effect, { runtime, powers }: Capabilities): Support | undefined {
  if (HELPERS[effect.kind] === undefined) {
    return undefined;
  }
  if (!powers.includes('host.stress')) {
    const reason = 'nobody could measure what a helper beside a node takes, or it cannot be put beside it';
    return { ok: false, reason, hint: 'It needs Linux; in containers, root on the Linux that their engine runs on.' };
  }
  if (runtime !== 'local') return { ok: true };
  return { ok: true, note: 'all nodes share this machine: what is taken beside one node is taken from every node' };
}
