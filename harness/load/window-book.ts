import { Histogram } from '../core/histogram.ts';
import type { BadClass, LoadWindow } from '../spi/load.ts';
import type { CompiledJourney } from './compiled-journey.ts';

/** Most (journey) and (journey, step) pairs that get rows of their own. */
const LABELS_MAX = 16;
/** Name under which the rest is counted. */
export const OTHER = 'other';
/** A second's first row waits this much longer than its deadline, so that answers on the way in are counted in it. */
const GRACE_MS = 250;
/** Answers later than that are gathered this long before they make a further row. */
const LATE_GATHER_MS = 1000;
const SECOND_MS = 1000;

export interface Label {
  journey: string;
  step?: string;
}

/** Which journeys and steps have rows of their own: journeys first, in the order of the mix, then steps. */
export function labelsOf(journeys: readonly CompiledJourney[]): { journey: Label; steps: Label[] }[] {
  const wanted = journeys.length + journeys.reduce((sum, journey) => sum + journey.steps.length, 0);
  // Two of the labels are those of the rest.
  let free = wanted <= LABELS_MAX ? LABELS_MAX : LABELS_MAX - 2;
  const otherJourney: Label = { journey: OTHER };
  const otherStep: Label = { journey: OTHER, step: OTHER };
  const own = journeys.map((journey) => (free-- > 0 ? { journey: journey.name } : otherJourney));
  return journeys.map((journey, index) => ({
    journey: own[index]!,
    steps: journey.steps.map((step) => (free-- > 0 ? { journey: journey.name, step: step.name } : otherStep)),
  }));
}

/** Counts of one label and intended second, open for more. */
export class OpenWindow {
  scheduled = 0;
  sent = 0;
  droppedCap = 0;
  droppedLate = 0;
  abandoned = 0;
  good = 0;
  excluded = 0;
  inFlightMax = 0;
  readonly bad: Partial<Record<BadClass, number>> = {};
  readonly latenessMs: number[] = [];
  #firstBadMs: number | undefined;
  #lastBadMs: number | undefined;
  // Plain values until the row is written: a histogram each would be far more, and most windows hold few.
  readonly #fromIntendedMs: number[] = [];
  readonly #serviceMs: number[] = [];

  addBad(why: BadClass, intendedMs: number): void {
    this.bad[why] = (this.bad[why] ?? 0) + 1;
    this.#firstBadMs = Math.min(this.#firstBadMs ?? intendedMs, intendedMs);
    this.#lastBadMs = Math.max(this.#lastBadMs ?? intendedMs, intendedMs);
  }

  /** `serviceMs` is absent for what was never sent. */
  addLatency(fromIntendedMs: number, serviceMs: number | undefined): void {
    this.#fromIntendedMs.push(fromIntendedMs);
    if (serviceMs !== undefined) this.#serviceMs.push(serviceMs);
  }

  /** `scratch` is used and left as it falls. */
  row(scenario: string, label: Label, fromMs: number, scratch: Histogram): LoadWindow {
    const { scheduled, sent, droppedCap, droppedLate, abandoned, good, bad, excluded, inFlightMax } = this;
    const head = { scenario, journey: label.journey, ...(label.step === undefined ? {} : { step: label.step }) };
    const span = { fromMs, toMs: fromMs + SECOND_MS };
    const counts = { scheduled, sent, droppedCap, droppedLate, abandoned, good, bad, excluded };
    const first = this.#firstBadMs === undefined ? {} : { firstBadMs: rounded(this.#firstBadMs, 10) };
    const last = this.#lastBadMs === undefined ? {} : { lastBadMs: rounded(this.#lastBadMs, 10) };
    const latenessP99Ms = rounded(p99(this.latenessMs), 100);
    const fromIntended = encoded(this.#fromIntendedMs, scratch);
    const service = encoded(this.#serviceMs, scratch);
    return { ...head, ...span, ...counts, ...first, ...last, latenessP99Ms, inFlightMax, fromIntended, service };
  }
}

/**
 * Windows of one scenario by label and INTENDED second. A second's row is given out once at its deadline; what comes
 * later makes further rows that add up. Holds no more than the seconds still open.
 */
export class WindowBook {
  readonly #scenario: string;
  readonly #withinMs: number;
  readonly #open = new Map<Label, Map<number, { window: OpenWindow; giveOutMs: number }>>();
  readonly #scratch = new Histogram();
  #nowMs = Number.NEGATIVE_INFINITY;

  constructor(scenario: string, withinMs: number) {
    this.#scenario = scenario;
    this.#withinMs = withinMs;
  }

  at(label: Label, intendedMs: number): OpenWindow {
    const fromMs = Math.floor(intendedMs / SECOND_MS) * SECOND_MS;
    let seconds = this.#open.get(label);
    if (seconds === undefined) {
      seconds = new Map();
      this.#open.set(label, seconds);
    }
    let entry = seconds.get(fromMs);
    if (entry === undefined) {
      const deadlineMs = fromMs + SECOND_MS + this.#withinMs + GRACE_MS;
      const giveOutMs = deadlineMs > this.#nowMs ? deadlineMs : this.#nowMs + LATE_GATHER_MS;
      entry = { window: new OpenWindow(), giveOutMs };
      seconds.set(fromMs, entry);
    }
    return entry.window;
  }

  /** The rows whose time has come, oldest second first; `Infinity` gives out all. */
  giveOut(nowMs: number): LoadWindow[] {
    this.#nowMs = nowMs;
    const rows: LoadWindow[] = [];
    for (const [label, seconds] of this.#open) {
      for (const [fromMs, { window, giveOutMs }] of seconds) {
        if (giveOutMs > nowMs) continue;
        seconds.delete(fromMs);
        rows.push(window.row(this.#scenario, label, fromMs, this.#scratch));
      }
    }
    return rows.sort((a, b) => a.fromMs - b.fromMs);
  }
}

function encoded(valuesMs: readonly number[], scratch: Histogram): string {
  scratch.clear();
  for (const ms of valuesMs) scratch.record(ms * 1000);
  return scratch.encode();
}

/** The value at rank ⌈0.99·n⌉; 0 of none. */
function p99(values: readonly number[]): number {
  if (values.length === 0) return 0;
  const sorted = Float64Array.from(values).sort();
  return sorted[Math.ceil(sorted.length * 0.99) - 1]!;
}

const rounded = (value: number, scale: number): number => Math.round(value * scale) / scale;
