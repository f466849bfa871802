import { lowerBound } from '../core/binomial.ts';
import { formatCount, formatDuration, formatPercent } from '../core/units.ts';
import type { LoadWindow } from '../spi/load.ts';
import type { GuardSpec } from '../spi/plan.ts';

const CONFIDENCE = 0.95;
/** One bad of one has a lower bound of exactly 5 %: rounding must not turn that into more. */
const ROUNDING = 1e-9;

export interface Trip {
  rule: string;
  of: string;
  bad: number;
  total: number;
  because: string;
}

/**
 * Watches the journeys' windows as they arrive and trips when, over the last `overMs` of a rule, the one-sided lower
 * 95 % bound (Clopper–Pearson) of the bad share exceeds the rule's: never on one unlucky request. Pure state.
 */
export class Guard {
  readonly #rules: GuardSpec['abortWhen'];
  readonly #seconds = new Map<string, Map<number, { bad: number; total: number }>>();

  constructor(spec: GuardSpec) {
    this.#rules = spec.abortWhen;
  }

  /** Takes one row; returns the trip if a rule trips on it. Rows before t = 0 do not count. */
  see(row: LoadWindow): Trip | undefined {
    if (row.step !== undefined || row.fromMs < 0) return undefined;
    const bad = Object.values(row.bad).reduce((sum, count) => sum + count, 0);
    const seconds = this.#seconds.get(row.scenario) ?? new Map<number, { bad: number; total: number }>();
    this.#seconds.set(row.scenario, seconds);
    const second = seconds.get(row.fromMs) ?? { bad: 0, total: 0 };
    seconds.set(row.fromMs, { bad: second.bad + bad, total: second.total + bad + row.good });
    return this.#rules
      .filter((rule) => rule.of === row.scenario)
      .map((rule) => this.#judge(rule, seconds))
      .find(Boolean);
  }

  #judge(rule: GuardSpec['abortWhen'][number], seconds: Map<number, { bad: number; total: number }>): Trip | undefined {
    const newest = Math.max(...seconds.keys());
    let bad = 0;
    let total = 0;
    for (const [fromMs, second] of seconds) {
      if (fromMs <= newest - 3_600_000) seconds.delete(fromMs);
      if (fromMs <= newest - rule.overMs) continue;
      bad += second.bad;
      total += second.total;
    }
    const low = total === 0 ? 0 : lowerBound(bad, total, CONFIDENCE);
    if (low <= rule.badRatio + ROUNDING) return undefined;
    const name = `${rule.of}: bad ${formatPercent(rule.badRatio)} over ${formatDuration(rule.overMs)}`;
    const because = `${formatCount(bad)} of ${formatCount(total)} journeys of ${rule.of} were bad within ${formatDuration(rule.overMs)}: at 95 % more than ${formatPercent(low, 2)}, and the guard allows ${formatPercent(rule.badRatio)}`;
    return { rule: name, of: rule.of, bad, total, because };
  }
}
