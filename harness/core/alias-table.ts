/**
 * Draws an index by weight in constant time: Walker's alias method as Vose builds it ("A linear algorithm for
 * generating random numbers with a given distribution", IEEE TSE 17(9), 1991). Each of n equal slots holds at most two
 * indices; one uniform number picks the slot, a second one which of the two.
 */
export class AliasTable {
  readonly #keep: Float64Array;
  readonly #other: Uint32Array;

  /** Weights are finite, not negative, and at least one is above 0. */
  constructor(weights: Float64Array) {
    const n = weights.length;
    const total = weights.reduce((sum, weight) => sum + weight, 0);
    if (!(total > 0) || !Number.isFinite(total)) throw new RangeError('weights must add up to a number above 0');
    const scaled = weights.map((weight) => (weight * n) / total);
    this.#keep = new Float64Array(n).fill(1);
    this.#other = Uint32Array.from({ length: n }, (_, index) => index);
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
      this.#keep[poor] = scaled[poor]!;
      this.#other[poor] = rich;
      scaled[rich] = scaled[rich]! + scaled[poor]! - 1;
      if (scaled[rich]! < 1) {
        large++;
        order[small++] = rich;
      }
    }
  }

  draw(random: () => number): number {
    const slot = Math.min(this.#keep.length - 1, Math.floor(random() * this.#keep.length));
    return random() < this.#keep[slot]! ? slot : this.#other[slot]!;
  }
}
