/** Lines of a second may come so much later than the first of a newer one: servers write their logs in buffers. */
const GRACE_SECONDS = 5;
const MOST_HELD = 50_000;
const SECOND_MS = 1000;

interface Second {
  rows: number[];
  tooksMs: number[];
  /** Where the rest of the second begins, when a part of it had to be given on before all was there. */
  usedMs: number;
}

/**
 * Spreads the rows of a log that tells whole seconds evenly over each second, in the order of their lines: n of them
 * stand at (i + ½)/n, less what each took where the log tells its end (`tookMs`, else 0). Memory is bounded: a second
 * with more than 50,000 rows is given on in parts, each over half of what is left of it.
 */
export class SecondSpread {
  readonly #seconds = new Map<number, Second>();
  readonly #give: (atMs: number, row: number) => void;
  #newest = Number.NEGATIVE_INFINITY;
  #oldest = Number.POSITIVE_INFINITY;
  #held = 0;
  /** Given on so far. */
  spread = 0;

  constructor(give: (atMs: number, row: number) => void) {
    this.#give = give;
  }

  add(atMs: number, tookMs: number, row: number): void {
    const number = Math.floor(atMs / SECOND_MS);
    let second = this.#seconds.get(number);
    if (second === undefined) {
      second = { rows: [], tooksMs: [], usedMs: 0 };
      this.#seconds.set(number, second);
      if (number < this.#oldest) this.#oldest = number;
      if (number > this.#newest) this.#newest = number;
    }
    second.rows.push(row);
    second.tooksMs.push(tookMs);
    this.#held++;
    while (this.#oldest < this.#newest - GRACE_SECONDS) this.#giveOldest();
    if (this.#held > MOST_HELD) this.#makeRoom();
  }

  finish(): void {
    while (this.#seconds.size > 0) this.#giveOldest();
  }

  #giveOldest(): void {
    const second = this.#seconds.get(this.#oldest)!;
    this.#seconds.delete(this.#oldest);
    this.#giveOver(second, this.#oldest, SECOND_MS - second.usedMs);
    this.#oldest = Number.POSITIVE_INFINITY;
    for (const number of this.#seconds.keys()) this.#oldest = Math.min(this.#oldest, number);
  }

  /** The oldest second is given whole, unless it is still coming in: of that one, what is there takes half of its rest. */
  #makeRoom(): void {
    if (this.#oldest < this.#newest) {
      this.#giveOldest();
      return;
    }
    const current = this.#seconds.get(this.#oldest)!;
    const halfMs = (SECOND_MS - current.usedMs) / 2;
    this.#giveOver(current, this.#oldest, halfMs);
    current.rows = [];
    current.tooksMs = [];
    current.usedMs += halfMs;
  }

  #giveOver({ rows, tooksMs, usedMs }: Second, number: number, lengthMs: number): void {
    const stepMs = lengthMs / rows.length;
    rows.forEach((row, index) => {
      this.#give(number * SECOND_MS + usedMs + (index + 0.5) * stepMs - tooksMs[index]!, row);
    });
    this.#held -= rows.length;
    this.spread += rows.length;
  }
}
