/** Each slot keeps its own index with this chance, else gives the other one. */
export interface AliasSlots {
  keep: Float64Array;
  other: Uint32Array;
}

/**
 * Draws an index by weight in constant time: Walker's alias method as Vose builds it ("A linear algorithm for
 * generating random numbers with a given distribution", IEEE TSE 17(9), 1991). Each of n equal slots holds at most two
 * indices; one uniform number picks the slot, a second one which of the two.
 */
export class AliasTable {
  readonly #keep: Float64Array;
  readonly #other: Uint32Array;

  /** Over slots that were made before, perhaps by another thread. */
  constructor({ keep, other }: AliasSlots) {
    this.#keep = keep;
    this.#other = other;
  }

  /** Weights are finite, not negative, and at least one is above 0. */
  static of(weights: Float64Array): AliasTable {
    return new AliasTable(aliasSlots(weights));
  }

  draw(random: () => number): number {
    const slot = Math.min(this.#keep.length - 1, Math.floor(random() * this.#keep.length));
    return random() < this.#keep[slot]! ? slot : this.#other[slot]!;
  }
}

/** The slots for these weights, in shared memory. Weights are finite, not negative, and at least one is above 0. */
export function aliasSlots(weights: Float64Array): AliasSlots {
  const n = weights.length;
  const total = weights.reduce((sum, weight) => sum + weight, 0);
  if (!(total > 0) || !Number.isFinite(total)) throw new RangeError('weights must add up to a number above 0');
  const scaled = weights.map((weight) => (weight * n) / total);
  const keep = new Float64Array(new SharedArrayBuffer(n * Float64Array.BYTES_PER_ELEMENT)).fill(1);
  const other = new Uint32Array(new SharedArrayBuffer(n * Uint32Array.BYTES_PER_ELEMENT)).map((_, index) => index);
  const order = new Uint32Array(n);
  let small = 0;
  let large = n;
  for (let index = 0; index < n; index++) {
    if (scaled[index]! < 1) order[small++] = index;
    else order[--large] = index;
  }
  // Below `small` lie the slots not full yet, from `large` on those that have something to give.
  while (small > 0 && large < n) {
    const poor = order[--small]!;
    const rich = order[large]!;
    keep[poor] = scaled[poor]!;
    other[poor] = rich;
    scaled[rich] = scaled[rich]! + scaled[poor]! - 1;
    if (scaled[rich]! < 1) {
      large++;
      order[small++] = rich;
    }
  }
  return { keep, other };
}
