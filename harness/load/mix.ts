/**
 * Deals journeys out so that over any prefix each one's count is within 1 of its share (Tijdeman's chairman assignment:
 * of those that are owed enough, the one whose turn is up soonest). The same shares give the same sequence.
 */
export class Mix {
  readonly #shares: readonly number[];
  readonly #dealt: number[];
  readonly #slack: number;
  #total = 0;

  /** `shares` sum to 1; a journey with share 0 is never dealt. */
  constructor(shares: readonly number[]) {
    this.#shares = shares;
    this.#dealt = shares.map(() => 0);
    const dealtAtAll = shares.filter((share) => share > 0).length;
    this.#slack = dealtAtAll > 1 ? 1 - 1 / (2 * dealtAtAll - 2) : 0;
  }

  /** Index of the next journey. */
  next(): number {
    this.#total++;
    let chosen = -1;
    let soonest = Number.POSITIVE_INFINITY;
    this.#shares.forEach((share, index) => {
      if (share <= 0) return;
      const owed = share * this.#total - this.#dealt[index]!;
      // Owed too little: dealing it now could put it a whole one ahead. The small number absorbs rounding.
      if (owed < 1 - this.#slack - 1e-9) return;
      const untilDue = (this.#slack - owed) / share;
      if (untilDue < soonest - 1e-9) {
        soonest = untilDue;
        chosen = index;
      }
    });
    if (chosen < 0) chosen = this.#mostOwed();
    this.#dealt[chosen]!++;
    return chosen;
  }

  /** Only rounding of the shares' sum can leave nobody eligible. */
  #mostOwed(): number {
    const owed = this.#shares.map((share, index) =>
      share > 0 ? share * this.#total - this.#dealt[index]! : -Infinity,
    );
    return owed.indexOf(Math.max(...owed));
  }
}
