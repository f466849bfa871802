import type { TimelineFault } from '../spi/timeline.ts';
import { type FaultRunContext, runFault } from './fault-run.ts';

export interface FaultScheduleContext extends FaultRunContext {
  /** Sleeps to a time after t = 0; returns at once when the run is stopped. */
  until(tMs: number): Promise<void>;
  /** Called as a fault takes its turn, before anything is done to its nodes. */
  onTouch(nodes: readonly string[]): void;
}

/** Runs every fault in its time and resolves when the last is healed or given up. */
export async function runFaults(faults: readonly TimelineFault[], ctx: FaultScheduleContext): Promise<void> {
  const turns: { fault: TimelineFault; over: Promise<void> }[] = [];
  for (const fault of faults) {
    const earlier = turns.filter((turn) => mustWait(turn.fault, fault)).map((turn) => turn.over);
    turns.push({ fault, over: inItsTime(fault, earlier, ctx) });
  }
  await Promise.all(turns.map((turn) => turn.over));
}

/** A fault waits for earlier ones on the same nodes to be healed, up to its own hold; else it is skipped. */
async function inItsTime(fault: TimelineFault, earlier: Promise<void>[], ctx: FaultScheduleContext): Promise<void> {
  await ctx.until(fault.atMs);
  const healed = Promise.all(earlier).then(() => true);
  const tooLate = ctx.until(fault.atMs + fault.forMs).then(() => false);
  const free = await Promise.race([healed, tooLate]);
  const skip = (because: string): void =>
    void ctx.journal.append({ type: 'fault.skipped', fault: fault.name, because });
  if (ctx.stop.aborted) return skip('the run was stopped before it');
  if (!free) return skip('an earlier fault on the same nodes was not healed in time');
  ctx.onTouch(fault.blast.nodes);
  await runFault(fault, ctx);
}

/**
 * Whether `later` has to find `earlier` healed. A node that was hit must be whole before it is hit again; a fault on
 * links alone leaves the nodes as they are, so that a primary can be killed while its replication is held back.
 */
function mustWait(earlier: TimelineFault, later: TimelineFault): boolean {
  const links = earlier.effects.flatMap(({ on }) => ('link' in on ? [on.link] : []));
  if (links.length > 0 && links.length === earlier.effects.length) {
    return later.effects.some(({ on }) => 'link' in on && links.includes(on.link));
  }
  return earlier.blast.nodes.some((node) => later.blast.nodes.includes(node));
}
