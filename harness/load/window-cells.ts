import { BUCKETS, bucketOf, clampedValue, encodeCounts, quantileOf } from '../core/histogram.ts';
import type { BadClass, LoadWindow } from '../spi/load.ts';
import type { Label } from './labels.ts';

export const SECOND_MS = 1000;

const BAD_CLASSES: readonly BadClass[] = [
  'timeout',
  'status',
  'refused',
  'reset',
  'dns',
  'tls',
  'body',
  'check',
  'dropped',
  'unfinished',
];
const BAD_INDEX = Object.fromEntries(BAD_CLASSES.map((why, index) => [why, index])) as Record<BadClass, number>;

const COUNTS = [
  'scheduled',
  'sent',
  'droppedCap',
  'droppedLate',
  'abandoned',
  'left',
  'good',
  'excluded',
  'inFlightMax',
] as const;
type CountName = (typeof COUNTS)[number];
const AT = Object.fromEntries(COUNTS.map((name, index) => [name, index])) as Record<CountName, number>;
const [FIRST_BAD, LAST_BAD] = [COUNTS.length, COUNTS.length + 1];
const BAD_IN_ALL = COUNTS.length + 2;
const BAD = COUNTS.length + 3;
const NUMBERS = BAD + BAD_CLASSES.length;

/** One histogram's counts and, in `span`, its number of values, first and last bucket in use, and exact maximum. */
class Cells {
  readonly counts: Uint32Array;
  readonly span: Float64Array;

  constructor(buffer: ArrayBufferLike, countsAt: number, spanAt: number) {
    this.counts = new Uint32Array(buffer, countsAt, BUCKETS);
    this.span = new Float64Array(buffer, spanAt, 4);
  }

  record(ms: number): void {
    const value = clampedValue(ms * 1000);
    const bucket = bucketOf(value);
    const { counts, span } = this;
    counts[bucket]!++;
    if (span[0]!++ === 0) {
      span[1] = bucket;
      span[2] = bucket;
      span[3] = value;
      return;
    }
    if (bucket < span[1]!) span[1] = bucket;
    if (bucket > span[2]!) span[2] = bucket;
    if (value > span[3]!) span[3] = value;
  }

  encode(): string {
    const [count, from, to, max] = this.span;
    return count === 0 ? '' : encodeCounts(this.counts, from!, to!, max!);
  }

  quantileMs(q: number): number {
    const [count, from, to, max] = this.span;
    return Math.min(max!, quantileOf(this.counts, from!, to!, count!, q)) / 1000;
  }

  clear(): void {
    if (this.span[0] === 0) return;
    this.counts.fill(0, this.span[1], this.span[2]! + 1);
    this.span.fill(0);
  }
}

const SPANS_AT = NUMBERS * 8;
const CELLS_AT = SPANS_AT + 3 * 4 * 8;
const CELLS_BYTES = BUCKETS * 4;
/** Most of it is never touched, and so never takes memory. */
export const WINDOW_BYTES = CELLS_AT + 3 * CELLS_BYTES;

/**
 * Counts and the three histograms of one window, over memory that may be shared: who sends counts in it, who reports
 * reads it out and clears it, one after the other, never both.
 */
export class WindowCells {
  readonly buffer: ArrayBufferLike;
  readonly #numbers: Float64Array;
  readonly #lateness: Cells;
  readonly #fromIntended: Cells;
  readonly #service: Cells;

  /** `buffer` has WINDOW_BYTES and is all zeros, or was written by another one of this class. */
  constructor(buffer: ArrayBufferLike) {
    this.buffer = buffer;
    this.#numbers = new Float64Array(buffer, 0, NUMBERS);
    const cells = (index: number): Cells => new Cells(buffer, CELLS_AT + index * CELLS_BYTES, SPANS_AT + index * 4 * 8);
    this.#lateness = cells(0);
    this.#fromIntended = cells(1);
    this.#service = cells(2);
  }

  count(name: CountName): void {
    this.#numbers[AT[name]]!++;
  }

  /** `count` of what happens to every start: a name that is looked up costs more than the counting. */
  scheduled(): void {
    this.#numbers[AT.scheduled]!++;
  }

  good(): void {
    this.#numbers[AT.good]!++;
  }

  inFlight(now: number): void {
    if (now > this.#numbers[AT.inFlightMax]!) this.#numbers[AT.inFlightMax] = now;
  }

  sent(latenessMs: number): void {
    this.#numbers[AT.sent]!++;
    this.#lateness.record(latenessMs);
  }

  late(latenessMs: number): void {
    this.#lateness.record(latenessMs);
  }

  bad(why: BadClass, intendedMs: number): void {
    const numbers = this.#numbers;
    const first = numbers[BAD_IN_ALL]!++ === 0;
    if (first || intendedMs < numbers[FIRST_BAD]!) numbers[FIRST_BAD] = intendedMs;
    if (first || intendedMs > numbers[LAST_BAD]!) numbers[LAST_BAD] = intendedMs;
    numbers[BAD + BAD_INDEX[why]]!++;
  }

  /** `serviceMs` is absent for what was never sent. */
  latency(fromIntendedMs: number, serviceMs: number | undefined): void {
    this.#fromIntended.record(fromIntendedMs);
    if (serviceMs !== undefined) this.#service.record(serviceMs);
  }

  /** Reads the window out as a row. */
  row(scenario: string, label: Label, fromMs: number): LoadWindow {
    const count = (name: CountName): number => this.#numbers[AT[name]]!;
    const bad: LoadWindow['bad'] = {};
    BAD_CLASSES.forEach((why, index) => {
      const times = this.#numbers[BAD + index]!;
      if (times > 0) bad[why] = times;
    });
    const anyBad = this.#numbers[BAD_IN_ALL]! > 0;
    return {
      scenario,
      journey: label.journey,
      ...(label.step === undefined ? {} : { step: label.step }),
      fromMs,
      toMs: fromMs + SECOND_MS,
      scheduled: count('scheduled'),
      sent: count('sent'),
      droppedCap: count('droppedCap'),
      droppedLate: count('droppedLate'),
      abandoned: count('abandoned'),
      ...(count('left') > 0 ? { left: count('left') } : {}),
      good: count('good'),
      bad,
      excluded: count('excluded'),
      ...(anyBad ? { firstBadMs: tenths(this.#numbers[FIRST_BAD]!), lastBadMs: tenths(this.#numbers[LAST_BAD]!) } : {}),
      latenessP99Ms: Math.round(this.#lateness.quantileMs(0.99) * 100) / 100,
      inFlightMax: count('inFlightMax'),
      fromIntended: this.#fromIntended.encode(),
      service: this.#service.encode(),
    };
  }

  clear(): void {
    this.#numbers.fill(0);
    for (const cells of [this.#lateness, this.#fromIntended, this.#service]) cells.clear();
  }
}

const tenths = (ms: number): number => Math.round(ms * 10) / 10;
