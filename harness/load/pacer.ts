import { countStarts, curveDuration, dueMs, type RateSegment } from '../core/rate-curve.ts';
import type { Scenario } from '../spi/plan.ts';

export interface DueStart {
  /** Over warm-up and load together, from 0. */
  index: number;
  /** Intended start in ms from t = 0. */
  dueMs: number;
  warmUp: boolean;
}

/**
 * The absolute schedule of one scenario: a ramp up to the warm-up rate, the steady state at it, ending exactly at t = 0, then
 * the segments, whose starts are those of the timeline whatever came before. Nothing a system does can move it.
 */
export class Pacer {
  readonly #parts: readonly { segments: readonly RateSegment[]; fromMs: number; count: number; warmUp: boolean }[];
  /** Where the curve ends, in ms from t = 0. */
  readonly endMs: number;
  #part = 0;
  #inPart = 0;
  #index = 0;

  constructor(scenario: Pick<Scenario, 'segments' | 'warmUpRate' | 'warmUpMs'>, steadyMs: number) {
    const warmUpMs = scenario.warmUpMs + steadyMs;
    const rate = scenario.warmUpRate;
    // Cold services get their share of the rate little by little: what is measured is a sale, not a cold start.
    const warming = [
      { fromRate: 0, toRate: rate, durationMs: scenario.warmUpMs },
      { fromRate: rate, toRate: rate, durationMs: steadyMs },
    ];
    this.#parts = [
      { segments: warming, fromMs: -warmUpMs, count: warmUpMs > 0 ? countStarts(warming) : 0, warmUp: true },
      { segments: scenario.segments, fromMs: 0, count: countStarts(scenario.segments), warmUp: false },
    ];
    this.endMs = curveDuration(scenario.segments);
  }

  /** Every start not yet given whose time has come by `ms`, in order; each is given once. */
  *dueUntil(ms: number): Generator<DueStart> {
    for (;;) {
      const part = this.#parts[this.#part];
      if (part === undefined) return;
      while (this.#inPart < part.count) {
        const due = part.fromMs + (dueMs(part.segments, this.#inPart) ?? this.endMs);
        if (due > ms) return;
        this.#inPart++;
        yield { index: this.#index++, dueMs: due, warmUp: part.warmUp };
      }
      this.#part++;
      this.#inPart = 0;
    }
  }

  /** Whether every start has been given. */
  get exhausted(): boolean {
    const part = this.#parts[this.#part];
    return part === undefined || (this.#part === this.#parts.length - 1 && this.#inPart >= part.count);
  }
}
