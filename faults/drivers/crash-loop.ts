import { setTimeout as sleep } from 'node:timers/promises';
import { findNode, NODE_FLAG, type ProcessSpec } from '../../harness/core/local-process.ts';
import { isAlive, type ProcessRow, signalExactly } from '../../harness/core/process-identity.ts';
import type { FaultDriver } from '../../harness/spi/fault.ts';
import type { JsonObject } from '../../harness/spi/json.ts';
import { END_MS } from '../actors/actor.ts';
import { CRASH_LOOP } from '../actors/host-acts.ts';
import { actorDriver } from './actor.ts';
import { meansFor } from './node-means.ts';
import { nodeOf } from './node-of.ts';

const POLL_MS = 10;

/**
 * A helper kills a node again and again and starts it each time. Reverting ends the helper and sees to it that the node
 * runs, whenever in its beat the helper was caught.
 */
export const crashLoopDriver: FaultDriver = {
  name: 'crash-loop',
  accepts: (effect, { powers }) => {
    if (effect.kind !== 'node.crash-looping') {
      return undefined;
    }
    if (powers.includes('node.kill') && powers.includes('node.start')) return { ok: true };
    const hint = 'Use a runtime that stands the stack up itself: local or containers.';
    return { ok: false, reason: 'this runtime can neither end nor start nodes', hint };
  },
  prepare: async (effect, env, ctx) => {
    const node = await nodeOf(effect, env, ctx.signal);
    const restart = node.restartSpec();
    meansFor(restart);
    const helper = await actorDriver.prepare({ ...effect, kind: CRASH_LOOP }, env, ctx);
    return { ...helper, driver: 'crash-loop', state: { helper: helper.state, node: restart } };
  },
  apply: (undo, ctx) => actorDriver.apply({ ...undo, state: undo.state.helper as JsonObject }, ctx),
  revert: async (undo, ctx) => {
    const { runId, nodeId } = undo.state.helper as unknown as ProcessSpec;
    // The helper alone: the node that it started last is its child, and is to live on.
    const helpers = (): ProcessRow[] =>
      findNode(runId, nodeId).filter(({ command }) => command.split(' ').includes(`${NODE_FLAG}=${nodeId}`));
    const rows = helpers();
    for (const row of rows) signalExactly(row, 'SIGTERM');
    for (let waited = 0; rows.some(isAlive) && waited < END_MS; waited += POLL_MS) await sleep(POLL_MS);
    for (const row of rows) signalExactly(row, 'SIGKILL');
    while (rows.some(isAlive)) {
      ctx.signal.throwIfAborted();
      await sleep(POLL_MS);
    }
    const node = undo.state.node as JsonObject;
    await meansFor(node).start(node, ctx);
  },
};
