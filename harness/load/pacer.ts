import { arrivalRandom, poissonDueTimes } from '../core/arrivals.ts';
import { countStarts, curveDuration, type RateSegment, startTimes } from '../core/rate-curve.ts';
import type { Scenario } from '../spi/plan.ts';

/** Due times by index; asked for rising indices only. Undefined past the last one. */
type DueTimes = (index: number) => number | undefined;

interface Part {
  fromMs: number;
  /** Starts of this part; undefined while only the walk through it will tell. */
  count: number | undefined;
  due: DueTimes;
  warmUp: boolean;
}

/** The stripe that is everything. */
export const WHOLE = { index: 0, of: 1 } as const;

/**
 * The absolute schedule of one open-model scenario: a ramp up to the warm-up rate, the steady state at it, ending exactly
 * at t = 0, then the segments, whose starts are those of the timeline whatever came before. Nothing a system does can
 * move it. Of a striped schedule it gives the starts whose index is its own, and together the stripes give each once.
 */
export class Pacer {
  /** Where the curve ends, in ms from t = 0. */
  readonly endMs: number;
  /** Of the start that `take` gave last: its number over warm-up and load together, from 0, and its intended time. */
  index = -1;
  dueMs = Number.NEGATIVE_INFINITY;
  warmUp = false;
  /** Number of the first start from t = 0 on. */
  readonly firstOfLoad: number;
  readonly #parts: readonly Part[];
  readonly #stripe: { index: number; of: number };
  #part = 0;
  /** Number of the first start of the current part, and of the next one of ours. */
  #base = 0;
  #next: number;
  #nextMs: number;

  constructor(
    scenario: Pick<Scenario, 'segments' | 'warmUpRate' | 'warmUpMs'> & Partial<Pick<Scenario, 'executor' | 'name'>>,
    options: { steadyMs: number; seed?: number; stripe?: { index: number; of: number } },
  ) {
    this.#stripe = options.stripe ?? WHOLE;
    this.endMs = curveDuration(scenario.segments);
    const warm = warming(scenario, options.steadyMs);
    this.#parts = [warm, loading(scenario, options.seed ?? 0)];
    this.firstOfLoad = warm.count;
    this.#next = this.#stripe.index;
    this.#nextMs = this.#find();
  }

  /** When the next start is due; Infinity when every one has been given. */
  get nextMs(): number {
    return this.#nextMs;
  }

  /** Whether every start has been given. */
  get exhausted(): boolean {
    return this.#nextMs === Number.POSITIVE_INFINITY;
  }

  /** Gives the next start, in `index`, `dueMs` and `warmUp`, if its time has come by `ms`; each is given once. */
  take(ms: number): boolean {
    if (this.#nextMs > ms || this.exhausted) return false;
    this.index = this.#next;
    this.dueMs = this.#nextMs;
    this.warmUp = this.#parts[this.#part]!.warmUp;
    this.#next += this.#stripe.of;
    this.#nextMs = this.#find();
    return true;
  }

  #find(): number {
    for (let part = this.#parts[this.#part]; part !== undefined; part = this.#parts[this.#part]) {
      const due = part.due(this.#next - this.#base);
      if (due !== undefined) return part.fromMs + due;
      if (part.count === undefined) break;
      this.#base += part.count;
      this.#part++;
    }
    return Number.POSITIVE_INFINITY;
  }
}

/** Cold services get their share of the rate little by little: what is measured is a sale, not a cold start. */
function warming(
  { warmUpRate: rate, warmUpMs }: Pick<Scenario, 'warmUpRate' | 'warmUpMs'>,
  steadyMs: number,
): Part & { count: number } {
  const segments = [
    { fromRate: 0, toRate: rate, durationMs: warmUpMs },
    { fromRate: rate, toRate: rate, durationMs: steadyMs },
  ];
  const count = warmUpMs + steadyMs > 0 ? countStarts(segments) : 0;
  const times = startTimes(segments);
  return {
    fromMs: -warmUpMs - steadyMs,
    count,
    due: (index) => (index < count ? times(index) : undefined),
    warmUp: true,
  };
}

function loading(
  { segments, executor, name }: { segments: RateSegment[]; executor?: Scenario['executor']; name?: string },
  seed: number,
): Part {
  if (executor === 'poisson') {
    return {
      fromMs: 0,
      count: undefined,
      due: walk(poissonDueTimes(segments, arrivalRandom(seed, name ?? ''))),
      warmUp: false,
    };
  }
  return { fromMs: 0, count: undefined, due: startTimes(segments), warmUp: false };
}

/** Due times of a sequence that can only be walked through. */
function walk(times: Iterator<number, void>): DueTimes {
  let at = -1;
  let latest: number | undefined;
  return (index) => {
    for (; at < index; at++) {
      const next = times.next();
      latest = next.done === true ? undefined : next.value;
      if (latest === undefined) return undefined;
    }
    return latest;
  };
}
