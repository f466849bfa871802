/**
 * Log-linear histogram of non-negative integers in the layout of HDR (Tene): 2048 linear sub-buckets, then 1024 per
 * doubling, so every value is kept to better than 0.1 %. Merging loses nothing.
 */
const SUB_BITS = 11;
const SUB_COUNT = 1 << SUB_BITS;
const HALF = SUB_COUNT / 2;
const VALUE_MAX = 2 ** 36 - 1;

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
    const clamped = Math.min(VALUE_MAX, Math.max(0, Math.round(value)));
    this.#add(indexOf(clamped), times);
    if (clamped > this.#max) this.#max = clamped;
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
    const last = indexOf(Math.min(VALUE_MAX, Math.max(0, Math.round(value))));
    let seen = 0;
    for (let index = 0; index <= last && index < this.#counts.length; index++) seen += this.#counts[index]!;
    return seen;
  }

  /** Compact text: gaps and counts as variable-length integers in base64url, after the maximum. */
  encode(): string {
    const bytes: number[] = [];
    pushVarint(bytes, this.#max);
    let previous = -1;
    this.#counts.forEach((times, index) => {
      if (times === 0) return;
      pushVarint(bytes, index - previous - 1);
      pushVarint(bytes, times);
      previous = index;
    });
    return Buffer.from(bytes).toString('base64url');
  }

  /** Inverse of `encode`; throws RangeError on text that is not one. */
  static decode(text: string): Histogram {
    const bytes = Buffer.from(text, 'base64url');
    const reader = { bytes, at: 0 };
    const histogram = new Histogram();
    if (bytes.length === 0) return histogram;
    histogram.#max = readVarint(reader);
    let index = -1;
    while (reader.at < bytes.length) {
      index += readVarint(reader) + 1;
      if (index > indexOf(VALUE_MAX)) throw new RangeError('not an encoded histogram: bucket out of range');
      histogram.#add(index, readVarint(reader));
    }
    return histogram;
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

function indexOf(value: number): number {
  if (value < SUB_COUNT) return value;
  const shift = Math.floor(Math.log2(value)) - (SUB_BITS - 1);
  const exact = value >= 2 ** (shift + SUB_BITS) ? shift + 1 : value < 2 ** (shift + SUB_BITS - 1) ? shift - 1 : shift;
  return SUB_COUNT + (exact - 1) * HALF + (Math.floor(value / 2 ** exact) - HALF);
}

function highestOf(index: number): number {
  if (index < SUB_COUNT) return index;
  const shift = Math.floor((index - SUB_COUNT) / HALF) + 1;
  const sub = ((index - SUB_COUNT) % HALF) + HALF;
  return (sub + 1) * 2 ** shift - 1;
}

function pushVarint(bytes: number[], value: number): void {
  let rest = value;
  while (rest >= 128) {
    bytes.push((rest % 128) | 128);
    rest = Math.floor(rest / 128);
  }
  bytes.push(rest);
}

function readVarint(reader: { bytes: Buffer; at: number }): number {
  let value = 0;
  for (let scale = 1; ; scale *= 128) {
    const byte = reader.bytes[reader.at++];
    if (byte === undefined) throw new RangeError('not an encoded histogram: cut short');
    value += (byte & 127) * scale;
    if (byte < 128) return value;
  }
}
