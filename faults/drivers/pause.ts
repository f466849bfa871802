import { readFileSync } from 'node:fs';
import { findNode, stopAll } from '../../harness/core/local-process.ts';
import { type ProcessIdentity, type ProcessRow, signalExactly } from '../../harness/core/process-identity.ts';
import type { Effect, FaultDriver, Undo } from '../../harness/spi/fault.ts';
import type { JsonObject } from '../../harness/spi/json.ts';
import type { Capabilities, Support } from '../../harness/spi/runtime.ts';
import { inspectContainer, pauseContainer, unpauseContainer } from './container.ts';
import { containerOf, meansFor, processOf } from './node-means.ts';
import { nodeOf } from './node-of.ts';

/** What `undo.state` holds. */
interface PauseState {
  /** The node's own `restartSpec()`. */
  node: JsonObject;
  /** The node's processes when it was prepared, in case one hides its run's mark later. */
  known: ProcessIdentity[];
  /** Those of them that stood still already: they are not ours to let go on. */
  still: ProcessIdentity[];
  /** The container was frozen already. */
  frozenBefore: boolean;
}

/** Freezes all processes of a node, and lets them go on. What was frozen before stays so. */
export const pauseDriver: FaultDriver = {
  name: 'pause',
  accepts,
  prepare: async (effect, env, ctx) => {
    const target = await nodeOf(effect, env, ctx.signal);
    const node = target.restartSpec();
    meansFor(node);
    const rows = isLocal(node) ? rowsOf(node) : [];
    const found = isLocal(node) ? undefined : await inspectContainer(containerOf(node), ctx.signal);
    const state: PauseState = {
      node,
      known: rows.map(identityOf),
      still: rows.filter(({ pid }) => standsStill(pid)).map(identityOf),
      frozenBefore: found?.State.Paused === true,
    };
    const { owner } = env;
    return { driver: 'pause', owner, on: { node: target.spec.id }, state: state as unknown as JsonObject };
  },
  apply: async (undo, ctx) => {
    const { node } = stateOf(undo);
    if (!isLocal(node)) return pauseContainer(containerOf(node), ctx.signal);
    // A child may be born while its parent is being stopped: they are looked for until there is no new one.
    stopAll(() => rowsOf(node));
  },
  revert: async (undo, ctx) => {
    const { node, known, still, frozenBefore } = stateOf(undo);
    if (!isLocal(node)) {
      if (!frozenBefore) await unpauseContainer(containerOf(node), ctx.signal);
      return;
    }
    // Whoever was started meanwhile runs, and does not mind being told so.
    const all = [...known, ...rowsOf(node).map(identityOf)];
    for (const one of all) if (!still.some((other) => isSame(one, other))) signalExactly(one, 'SIGCONT');
  },
};

function accepts(effect: Effect, { powers }: Capabilities): Support | undefined {
  if (effect.kind !== 'node.paused') {
    return undefined;
  }
  if (powers.includes('node.pause')) return { ok: true };
  const hint = 'Use a runtime that stands the stack up itself: local or containers.';
  return { ok: false, reason: 'this runtime cannot freeze nodes', hint };
}

const stateOf = (undo: Undo): PauseState => undo.state as unknown as PauseState;
const isLocal = (node: JsonObject): boolean => node.runtime === 'local';
const identityOf = ({ pid, started }: ProcessRow): ProcessIdentity => ({ pid, started });
const isSame = (one: ProcessIdentity, other: ProcessIdentity): boolean =>
  one.pid === other.pid && one.started === other.started;

function rowsOf(node: JsonObject): ProcessRow[] {
  const { runId, nodeId } = processOf(node);
  return findNode(runId, nodeId);
}

/** Stopped by a signal. Where the system has no `/proc` nothing is taken for that. */
function standsStill(pid: number): boolean {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
    return stat.slice(stat.lastIndexOf(')') + 2).startsWith('T');
  } catch {
    // No /proc, or it ended meanwhile.
    return false;
  }
}
