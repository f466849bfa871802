import { BitReader, BitWriter } from './bits.ts';

/**
 * Log-linear histogram of non-negative integers in the layout of HDR (Tene): 2048 linear sub-buckets, then 1024 per
 * doubling, so every value is kept to better than 0.1 %. Merging loses nothing.
 */
const SUB_BITS = 11;
const SUB_COUNT = 1 << SUB_BITS;
const HALF = SUB_COUNT / 2;
const VALUE_MAX = 2 ** 36 - 1;
/** Number of buckets, for those who keep the counts themselves: `bucketOf` is below it. */
export const BUCKETS = SUB_COUNT + 25 * HALF;
/** Orders of the Golomb codes of the maximum, the number of buckets and the first bucket: their usual sizes. */
const MAX_ORDER = 15;
const COUNT_ORDER = 5;
const FIRST_ORDER = 12;

export class Histogram {
  #counts = new Float64Array(SUB_COUNT);
  #count = 0;
  #max = 0;

  get count(): number {
    return this.#count;
  }

  /** The largest value recorded, exactly; 0 when empty. */
  get max(): number {
    return this.#max;
  }

  /** Records a value (rounded, clamped to [0, 2^36)). */
  record(value: number, times = 1): void {
    const clamped = clampedValue(value);
    this.#add(bucketOf(clamped), times);
    if (clamped > this.#max) this.#max = clamped;
  }

  /** Forgets everything but keeps its room, for those who make many. */
  clear(): void {
    this.#counts.fill(0);
    this.#count = 0;
    this.#max = 0;
  }

  merge(other: Histogram): void {
    other.#counts.forEach((times, index) => {
      if (times > 0) this.#add(index, times);
    });
    this.#max = Math.max(this.#max, other.#max);
  }

  /** The highest value equivalent to the one at rank ⌈q·count⌉, never above the recorded maximum; 0 when empty. */
  quantile(q: number): number {
    const rank = Math.max(1, Math.ceil(q * this.#count));
    let seen = 0;
    for (let index = 0; index < this.#counts.length; index++) {
      seen += this.#counts[index]!;
      if (seen >= rank) return Math.min(this.#max, highestOf(index));
    }
    return this.#max;
  }

  /** How many values are at most `value` (to the histogram's precision). */
  countAtMost(value: number): number {
    const last = bucketOf(clampedValue(value));
    let seen = 0;
    for (let index = 0; index <= last && index < this.#counts.length; index++) seen += this.#counts[index]!;
    return seen;
  }

  /**
   * Compact text (base64url of Golomb codes): the maximum, the number of buckets in use, the order of the gaps' code, then
   * the gap before each bucket and its count. Empty when nothing was recorded.
   */
  encode(): string {
    if (this.#count === 0) return '';
    return encodeCounts(this.#counts, 0, this.#counts.length - 1, this.#max);
  }

  /** Inverse of `encode`; throws RangeError on text that is not one. */
  static decode(text: string): Histogram {
    const histogram = new Histogram();
    histogram.mergeEncoded(text);
    return histogram;
  }

  /** `merge(decode(text))` without the histogram between, for those who add up many; throws RangeError, half merged. */
  mergeEncoded(text: string): void {
    if (text === '') return;
    const bits = new BitReader(Buffer.from(text, 'base64url'));
    this.#max = Math.max(this.#max, bits.read(MAX_ORDER));
    const used = bits.read(COUNT_ORDER);
    const order = bits.read(3);
    let index = -1;
    for (let bucket = 0; bucket < used; bucket++) {
      index += bits.read(bucket === 0 ? FIRST_ORDER : order) + 1;
      if (index >= BUCKETS) throw new RangeError('not an encoded histogram: bucket out of range');
      this.#add(index, bits.read(0) + 1);
    }
  }

  #add(index: number, times: number): void {
    if (index >= this.#counts.length) {
      const grown = new Float64Array(Math.max(index + HALF, this.#counts.length * 2));
      grown.set(this.#counts);
      this.#counts = grown;
    }
    this.#counts[index]! += times;
    this.#count += times;
  }
}

/** The value as it is recorded: rounded, clamped to [0, 2^36). */
export function clampedValue(value: number): number {
  return Math.min(VALUE_MAX, Math.max(0, Math.round(value)));
}

/** The bucket of a recorded value. */
export function bucketOf(value: number): number {
  if (value < SUB_COUNT) return value;
  if (value < 2 ** 31) {
    const shift = 32 - SUB_BITS - Math.clz32(value);
    return SUB_COUNT + (shift - 1) * HALF + (value >>> shift) - HALF;
  }
  const shift = 32 - SUB_BITS - Math.clz32(Math.floor(value / 32)) + 5;
  return SUB_COUNT + (shift - 1) * HALF + Math.floor(value / 2 ** shift) - HALF;
}

/** The text of `Histogram.encode` for counts by bucket, none of which is outside [from, to]; something was recorded. */
export function encodeCounts(counts: Uint32Array | Float64Array, from: number, to: number, max: number): string {
  const used: number[] = [];
  for (let index = from; index <= to; index++) if (counts[index]! > 0) used.push(index);
  // The order at which a gap of the average size is shortest.
  const order = Math.min(15, Math.floor(Math.log2((used.at(-1)! - used[0]! + 1) / used.length)));
  const bits = new BitWriter();
  bits.write(max, MAX_ORDER);
  bits.write(used.length, COUNT_ORDER);
  bits.write(order, 3);
  let previous = -1;
  for (const index of used) {
    // The first one is far from 0 and would spoil the average.
    bits.write(index - previous - 1, previous < 0 ? FIRST_ORDER : order);
    bits.write(counts[index]! - 1, 0);
    previous = index;
  }
  return bits.bytes().toString('base64url');
}

/** The highest value equivalent to the one at rank ⌈q·n⌉ of n counts, none of which is outside [from, to]. */
export function quantileOf(counts: Uint32Array, from: number, to: number, total: number, q: number): number {
  const rank = Math.max(1, Math.ceil(q * total));
  let seen = 0;
  for (let index = from; index <= to; index++) {
    seen += counts[index]!;
    if (seen >= rank) return highestOf(index);
  }
  return total === 0 ? 0 : highestOf(to);
}

function highestOf(index: number): number {
  if (index < SUB_COUNT) return index;
  const shift = Math.floor((index - SUB_COUNT) / HALF) + 1;
  const sub = ((index - SUB_COUNT) % HALF) + HALF;
  return (sub + 1) * 2 ** shift - 1;
}
