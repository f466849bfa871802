import type { Effect, FaultContext } from '../../harness/spi/fault.ts';
import type { JsonObject } from '../../harness/spi/json.ts';
import type { Environment, Node } from '../../harness/spi/runtime.ts';
import { HOST_ACTS } from './host-acts.ts';
import { LINK_ACTS } from './link-acts.ts';
import { STORE_ACTS } from './store-acts.ts';

/** An effect that something has to keep up: which helper program does it, and what that needs to know. */
export interface Act {
  /** The effect's kind. */
  effect: string;
  /** What the runtime must be able to do. */
  powers: string[];
  /** The helper's file beside this one, without its ending. */
  program: string;
  /**
   * Looks up what the helper must know and changes nothing. Plain JSON; secrets are fine, it never leaves the ledger and
   * the helper's environment. What it found under `facts` is in `undo.state.facts` too, for the probes.
   */
  args(effect: Effect, node: Node, env: Environment, ctx: FaultContext): JsonObject | Promise<JsonObject>;
}

/** Every act, one line each. */
export const ACTS: readonly Act[] = [...HOST_ACTS, ...LINK_ACTS, ...STORE_ACTS];
