import { Histogram } from '../core/histogram.ts';
import { formatPercent } from '../core/units.ts';
import type { JournalBody } from '../spi/journal.ts';
import type { LoadWindow } from '../spi/load.ts';
import type { Plan } from '../spi/plan.ts';

/** Gathers the seconds between warm-up and t = 0 and says, scenario by scenario, whether the system was well. */
export class SteadyState {
  readonly #spec: Plan['steadyState'];
  readonly #seen = new Map<string, { good: number; bad: number; latency: Histogram }>();

  constructor(spec: Plan['steadyState']) {
    this.#spec = spec;
  }

  see(row: LoadWindow): void {
    if (row.step !== undefined || row.fromMs >= 0 || row.fromMs < -this.#spec.forMs) return;
    const seen = this.#seen.get(row.scenario) ?? { good: 0, bad: 0, latency: new Histogram() };
    seen.good += row.good;
    seen.bad += Object.values(row.bad).reduce((sum, count) => sum + count, 0);
    seen.latency.merge(Histogram.decode(row.fromIntended));
    this.#seen.set(row.scenario, seen);
  }

  judge(scenario: string): Extract<JournalBody, { type: 'steady-state' }> {
    const { good, bad, latency } = this.#seen.get(scenario) ?? { good: 0, bad: 0, latency: new Histogram() };
    const p99Ms = latency.quantile(0.99) / 1000;
    const ratio = good + bad === 0 ? 0 : good / (good + bad);
    const p99MaxMs = this.#spec.p99Ms ?? Number.POSITIVE_INFINITY;
    const met = good + bad > 0 && ratio >= this.#spec.goodRatio && p99Ms <= p99MaxMs;
    const asked = `asked: ${formatPercent(this.#spec.goodRatio)}${this.#spec.p99Ms === undefined ? '' : ` and p99 ${this.#spec.p99Ms} ms`}`;
    const because = `${good} of ${good + bad} journeys of ${scenario} good, p99 ${p99Ms.toFixed(1)} ms; ${asked}`;
    return { type: 'steady-state', scenario, met, good, bad, p99Ms, because };
  }
}
