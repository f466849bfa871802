import { lowerBound } from '../core/binomial.ts';
import { formatCount, formatPercent } from '../core/units.ts';
import type { LoadWindow } from '../spi/load.ts';

const SECOND_MS = 1000;
/** What is looked at: so many seconds, the same as for a recovery. */
const LOOK_MS = 5000;
const KEPT_MS = 60_000;
/** A scenario that nothing was heard of for so long has no traffic now. */
const SILENT_MS = 10_000;
const CONFIDENCE = 0.95;
/** One bad of one has a lower bound of exactly 5 %: rounding must not turn that into more. */
const ROUNDING = 1e-9;

interface Seen {
  seconds: Map<number, { good: number; bad: number }>;
  newestMs: number;
}

/** How well the journeys of the last seconds did, beside what the steady state asks. Pure state. */
export class Wellness {
  readonly #goodRatio: number;
  readonly #scenarios = new Map<string, Seen>();

  constructor(goodRatio: number) {
    this.#goodRatio = goodRatio;
  }

  see(row: LoadWindow): void {
    if (row.step !== undefined) return;
    const seen = this.#scenarios.get(row.scenario) ?? { seconds: new Map(), newestMs: row.fromMs };
    this.#scenarios.set(row.scenario, seen);
    const { good, bad } = seen.seconds.get(row.fromMs) ?? { good: 0, bad: 0 };
    const more = Object.values(row.bad).reduce((sum, count) => sum + count, 0);
    seen.seconds.set(row.fromMs, { good: good + row.good, bad: bad + more });
    seen.newestMs = Math.max(seen.newestMs, row.fromMs);
    for (const fromMs of seen.seconds.keys()) if (fromMs < seen.newestMs - KEPT_MS) seen.seconds.delete(fromMs);
  }

  /**
   * Why the system is not well now, judged by the last seconds known that lie wholly after a moment: a scenario's good
   * share is below what the steady state asks even at the upper end of its one-sided 95 % bound. Undefined: well, or
   * nothing is known that says otherwise.
   */
  sickSince(fromMs: number): string | undefined {
    for (const [scenario, { seconds, newestMs }] of this.#scenarios) {
      const startMs = Math.max(newestMs + SECOND_MS - LOOK_MS, fromMs);
      const { good, bad } = sumOf(seconds, startMs, newestMs + SECOND_MS);
      const total = good + bad;
      if (total === 0 || lowerBound(bad, total, CONFIDENCE) <= 1 - this.#goodRatio + ROUNDING) continue;
      const counts = `${formatCount(bad)} of ${formatCount(total)} journeys of ${scenario}`;
      return `${counts} were bad in the last seconds known before its turn, and the steady state asks for ${formatPercent(this.#goodRatio)} good`;
    }
    return undefined;
  }

  /** Whether five whole seconds after a moment, the last known, were as good as the steady state in every scenario. */
  recoveredSince(fromMs: number): boolean {
    const newestMs = Math.max(...[...this.#scenarios.values()].map((seen) => seen.newestMs));
    const active = [...this.#scenarios.values()].filter((seen) => seen.newestMs > newestMs - SILENT_MS);
    // Of a second that is not yet past, more may come.
    const endMs = Math.min(...active.map((seen) => seen.newestMs));
    if (active.length === 0 || endMs - LOOK_MS < fromMs) return false;
    return active.every(({ seconds }) => {
      const { good, bad } = sumOf(seconds, endMs - LOOK_MS, endMs);
      return good > 0 && good / (good + bad) >= this.#goodRatio;
    });
  }
}

function sumOf(seconds: Seen['seconds'], fromMs: number, toMs: number): { good: number; bad: number } {
  let [good, bad] = [0, 0];
  for (const [atMs, second] of seconds) {
    if (atMs < fromMs || atMs >= toMs) continue;
    good += second.good;
    bad += second.bad;
  }
  return { good, bad };
}
