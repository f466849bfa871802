import { formatDuration } from '../core/units.ts';
import type { FaultCondition } from '../spi/plan.ts';
import type { TimelineFault } from '../spi/timeline.ts';
import { FaultMoments } from './fault-moments.ts';
import { type FaultRunContext, runFault } from './fault-run.ts';
import { Wellness } from './wellness.ts';

export interface FaultScheduleContext extends FaultRunContext {
  /** Sleeps to a time after t = 0; returns at once when the run is stopped. */
  until(tMs: number): Promise<void>;
  /** Called as a fault takes its turn, before anything is done to its nodes. */
  onTouch(nodes: readonly string[]): void;
  /** What the steady state asks: a system that is worse is not hit. */
  goodRatio: number;
}

/**
 * Runs every fault in its turn and resolves when the last is healed or given up. A fault whose turn does not come in
 * time, or that finds the system sick, is skipped with the reason.
 */
export async function runFaults(faults: readonly TimelineFault[], ctx: FaultScheduleContext): Promise<void> {
  const schedule = new FaultSchedule(ctx);
  await Promise.all(faults.map((fault) => schedule.run(fault)));
}

/** A fault whose turn has come; `over` settles with whether it left its nodes whole. */
interface Standing {
  fault: TimelineFault;
  over: PromiseWithResolvers<boolean>;
}

class FaultSchedule {
  readonly #ctx: FaultScheduleContext;
  readonly #wellness: Wellness;
  readonly #moments: FaultMoments;
  readonly #standing = new Set<Standing>();

  constructor(ctx: FaultScheduleContext) {
    this.#ctx = ctx;
    this.#wellness = new Wellness(ctx.goodRatio);
    this.#moments = new FaultMoments(this.#wellness);
    ctx.journal.subscribe((event) => this.#moments.see(event));
  }

  async run(fault: TimelineFault): Promise<void> {
    const turn = await this.#turn(fault);
    if (typeof turn === 'string') return this.#skip(fault, turn);
    const earlier = [...this.#standing].filter((one) => mustWait(one.fault, fault));
    const own: Standing = { fault, over: Promise.withResolvers() };
    this.#standing.add(own);
    const whyNot = (await this.#wayIsClear(fault, turn, earlier)) ?? this.#unfit(fault);
    if (whyNot !== undefined) this.#skip(fault, whyNot);
    else {
      this.#ctx.onTouch(fault.blast.nodes);
      await runFault(fault, this.#ctx);
    }
    this.#standing.delete(own);
    own.over.resolve(!this.#moments.unhealed.includes(fault.name));
  }

  /** Waits for its time and for all that must have come; returns when that was, or why it is skipped. */
  async #turn(fault: TimelineFault): Promise<number | string> {
    await this.#ctx.until(fault.atMs);
    const waits = await Promise.all((fault.after ?? []).map((condition) => this.#moment(fault, condition)));
    const missed = waits.find((wait) => typeof wait === 'string');
    if (this.#ctx.stop.aborted) return 'the run was stopped before it';
    if (missed !== undefined) return missed;
    const turnMs = Math.max(fault.atMs, ...waits.filter((wait) => typeof wait === 'number'));
    await this.#ctx.until(turnMs);
    return this.#ctx.stop.aborted ? 'the run was stopped before it' : turnMs;
  }

  async #moment(fault: TimelineFault, { fault: other, moment, delayMs }: FaultCondition): Promise<number | string> {
    const latestMs = fault.atMs + (fault.lateMs ?? 0) - delayMs;
    const late = this.#ctx.until(latestMs).then(() => undefined);
    const reached = await Promise.race([this.#moments.reached(other, moment), late]);
    if (reached === undefined) return `${other} ${NOT_YET[moment]} by ${formatDuration(latestMs)}`;
    if ('never' in reached) return `it waits until ${other} ${MOMENT[moment]}, and ${reached.never}`;
    return reached.tMs + delayMs;
  }

  /** Earlier ones on the same nodes must be healed, within its own hold. */
  async #wayIsClear(fault: TimelineFault, turnMs: number, earlier: readonly Standing[]): Promise<string | undefined> {
    const whole = Promise.all(earlier.map(({ over }) => over.promise)).then((all) => all.every(Boolean));
    const tooLate = this.#ctx.until(turnMs + fault.forMs).then(() => undefined);
    const free = await Promise.race([whole, tooLate]);
    if (this.#ctx.stop.aborted) return 'the run was stopped before it';
    if (free === undefined) return 'an earlier fault on the same nodes was not healed in time';
    return free ? undefined : 'an earlier fault on the same nodes could not be proved healed';
  }

  /**
   * A sick system is not hit again. While another fault is in force the plan wants both, and what it does to users is no
   * sickness; nor is what came before the last heal. A flap that was begun goes on.
   */
  #unfit({ flap }: TimelineFault): string | undefined {
    const { unhealed, inForce, lastHealMs } = this.#moments;
    if (unhealed.length > 0)
      return `${unhealed.join(' and ')} could not be proved healed: a sick system is not hit again`;
    if (inForce.length > 0 || (flap !== undefined && flap.turn > 1)) return undefined;
    const sick = this.#wellness.sickSince(lastHealMs);
    return sick === undefined ? undefined : `${sick}: a sick system is not hit again`;
  }

  #skip(fault: TimelineFault, because: string): void {
    this.#ctx.journal.append({ type: 'fault.skipped', fault: fault.name, because });
  }
}

const MOMENT: Readonly<Record<FaultCondition['moment'], string>> = {
  bitten: 'has bitten',
  healed: 'is healed',
  recovered: 'is recovered from',
  over: 'is over',
};
const NOT_YET: Readonly<Record<FaultCondition['moment'], string>> = {
  bitten: 'had not bitten',
  healed: 'was not healed',
  recovered: 'was not recovered from',
  over: 'was not over',
};

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
