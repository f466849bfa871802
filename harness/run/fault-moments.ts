import type { JournalEvent } from '../spi/journal.ts';
import type { FaultCondition } from '../spi/plan.ts';
import type { Wellness } from './wellness.ts';

export type Moment = FaultCondition['moment'];
/** When a moment came, in ms from t = 0, or why it never will. */
export type Reached = { tMs: number } | { never: string };

/** What has become of each fault, from the events of the run as they are journalled. */
export class FaultMoments {
  readonly #wellness: Wellness;
  readonly #moments = new Map<string, PromiseWithResolvers<Reached>>();
  readonly #inForce = new Set<string>();
  readonly #unhealed = new Set<string>();
  /** Healed, and not yet known to be recovered from. */
  readonly #healedMs = new Map<string, number>();
  #lastHealMs = 0;

  constructor(wellness: Wellness) {
    this.#wellness = wellness;
  }

  /** Faults that were commanded and are not proved healed. */
  get inForce(): readonly string[] {
    return [...this.#inForce];
  }

  /** Faults that were reverted and could not be proved healed. */
  get unhealed(): readonly string[] {
    return [...this.#unhealed];
  }

  /** When the last fault was proved healed; 0 when none was. */
  get lastHealMs(): number {
    return this.#lastHealMs;
  }

  /** Settles when the moment comes, or when it is known that it never will. May stay open for good. */
  reached(fault: string, moment: Moment): Promise<Reached> {
    return this.#of(fault, moment).promise;
  }

  see(event: JournalEvent): void {
    const tMs = event.tMs ?? 0;
    if (event.type === 'load.window') {
      this.#wellness.see(event.row);
      this.#lookForRecoveries(tMs);
    }
    if ('fault' in event) this.#takeIn(event, tMs);
  }

  #takeIn(event: Extract<JournalEvent, { fault: string }>, tMs: number): void {
    const { fault } = event;
    switch (event.type) {
      case 'fault.commanded':
        this.#inForce.add(fault);
        break;
      case 'fault.bitten':
        this.#of(fault, 'bitten').resolve({ tMs });
        break;
      case 'fault.not-bitten':
        this.#never(fault, `${fault} never bit`);
        break;
      case 'fault.skipped':
        this.#never(fault, `${fault} was not injected`);
        this.#of(fault, 'over').resolve({ tMs });
        break;
      case 'fault.healed':
        this.#healed(fault, tMs);
        break;
      case 'fault.not-healed':
        this.#unhealed.add(fault);
        this.#never(fault, `${fault} could not be proved healed`);
        this.#of(fault, 'over').resolve({ never: `${fault} could not be proved healed` });
        break;
      case 'fault.step':
      case 'fault.reverting':
        break;
    }
  }

  #healed(fault: string, tMs: number): void {
    this.#inForce.delete(fault);
    this.#lastHealMs = Math.max(this.#lastHealMs, tMs);
    this.#healedMs.set(fault, tMs);
    this.#of(fault, 'healed').resolve({ tMs });
    this.#of(fault, 'over').resolve({ tMs });
  }

  #lookForRecoveries(tMs: number): void {
    for (const [fault, healedMs] of this.#healedMs) {
      if (!this.#wellness.recoveredSince(healedMs)) continue;
      this.#healedMs.delete(fault);
      this.#of(fault, 'recovered').resolve({ tMs });
    }
  }

  #never(fault: string, never: string): void {
    for (const moment of ['bitten', 'healed', 'recovered'] as const) this.#of(fault, moment).resolve({ never });
  }

  #of(fault: string, moment: Moment): PromiseWithResolvers<Reached> {
    const key = `${fault}/${moment}`;
    const known = this.#moments.get(key) ?? Promise.withResolvers<Reached>();
    this.#moments.set(key, known);
    return known;
  }
}
