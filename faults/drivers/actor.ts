import { randomUUID } from 'node:crypto';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { findNode, killNode, type ProcessSpec, startProcess } from '../../harness/core/local-process.ts';
import { ownProgram } from '../../harness/core/own-program.ts';
import { isAlive, signalExactly } from '../../harness/core/process-identity.ts';
import type { Effect, FaultDriver, Undo } from '../../harness/spi/fault.ts';
import type { JsonObject } from '../../harness/spi/json.ts';
import type { Capabilities, Support } from '../../harness/spi/runtime.ts';
import { type ActorRequest, END_MS, REQUEST_VARIABLE } from '../actors/actor.ts';
import { ACTS } from '../actors/acts.ts';
import { nodeOf } from './node-of.ts';

const POLL_MS = 10;

/**
 * Effects that something has to keep up (a lock that is held, a flood): a helper program in a process of its own, which
 * ends by itself when the lease does. A tool that dies neither ends the effect by luck nor lets it last for ever.
 */
export const actorDriver: FaultDriver = {
  name: 'actor',
  accepts,
  prepare: async (effect, env, ctx) => {
    const act = actOf(effect.kind)!;
    const node = await nodeOf(effect, env, ctx.signal);
    const request: ActorRequest = { expiresAtMs: ctx.expiresAtMs, args: await act.args(effect, node, env, ctx) };
    const nodeId = `actor-${randomUUID().slice(0, 8)}`;
    const spec: ProcessSpec = {
      argv: [process.execPath, ownProgram(`../actors/${act.program}`, import.meta.url)],
      cwd: ctx.logs,
      env: { PATH: process.env.PATH ?? '', [REQUEST_VARIABLE]: JSON.stringify(request) },
      logFile: join(ctx.logs, `${nodeId}-${act.program}.log`),
      runId: ctx.runId,
      nodeId,
    };
    return {
      driver: 'actor',
      owner: env.owner,
      on: { node: node.spec.id },
      state: { ...(spec as unknown as JsonObject), facts: request.args.facts ?? {} },
    };
  },
  apply: async (undo, ctx) => {
    const spec = specOf(undo);
    await ctx.record({ runId: spec.runId, nodeId: spec.nodeId });
    await startProcess(spec);
  },
  revert: async (undo, ctx) => {
    const { runId, nodeId } = specOf(undo);
    const rows = findNode(runId, nodeId);
    for (const row of rows) signalExactly(row, 'SIGTERM');
    for (let waited = 0; rows.some(isAlive) && waited < END_MS; waited += POLL_MS) await sleep(POLL_MS);
    await killNode(runId, nodeId, ctx.signal);
  },
};

function accepts(effect: Effect, { powers }: Capabilities): Support | undefined {
  const act = actOf(effect.kind);
  if (act === undefined) return undefined;
  const missing = act.powers.filter((power) => !powers.includes(power));
  if (missing.length === 0) return { ok: true };
  const hint = 'Use a runtime that stands the stack up itself: local or containers.';
  return { ok: false, reason: `this runtime does not offer ${missing.join(', ')}`, hint };
}

function actOf(kind: string) {
  return ACTS.find(({ effect }) => effect === kind);
}

function specOf(undo: Undo): ProcessSpec {
  return undo.state as unknown as ProcessSpec;
}
