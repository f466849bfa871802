import { curveDuration, heightAt, type RateSegment } from '../core/rate-curve.ts';
import type { Scenario } from '../spi/plan.ts';
import { WHOLE } from './pacer.ts';

/**
 * How many users there are at each moment of a closed-model scenario: a ramp up to the warm-up's number, that many through
 * the steady state, then the segments. Of a striped load each stripe has every `of`-th user.
 */
export class Users {
  readonly endMs: number;
  readonly #warming: readonly RateSegment[];
  readonly #warmingMs: number;
  readonly #segments: readonly RateSegment[];
  readonly #stripe: { index: number; of: number };

  constructor(
    scenario: Pick<Scenario, 'segments' | 'warmUpRate' | 'warmUpMs'>,
    options: { steadyMs: number; stripe?: { index: number; of: number } },
  ) {
    const users = scenario.warmUpRate;
    this.#warming = [
      { fromRate: 0, toRate: users, durationMs: scenario.warmUpMs },
      { fromRate: users, toRate: users, durationMs: options.steadyMs },
    ];
    this.#warmingMs = curveDuration(this.#warming);
    this.#segments = scenario.segments;
    this.#stripe = options.stripe ?? WHOLE;
    this.endMs = curveDuration(scenario.segments);
  }

  /** Users of this stripe at `ms` from t = 0; 0 before the warm-up and from the end on. */
  at(ms: number): number {
    if (ms < -this.#warmingMs || ms >= this.endMs) return 0;
    const height = ms < 0 ? heightAt(this.#warming, ms + this.#warmingMs) : heightAt(this.#segments, ms);
    // The small number absorbs rounding: a ramp to 64 has 64 at its end.
    const all = Math.floor(height + 1e-9);
    const { index, of } = this.#stripe;
    return Math.floor((all - index + of - 1) / of);
  }
}
