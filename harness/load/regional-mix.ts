import { Mix } from './mix.ts';

/**
 * Deals journeys and the regions of their users: the journeys as `Mix` does, and each journey's starts to regions in the
 * same way, by a deal of its own. So over any prefix a journey has its share to within 1, each region its share of each
 * journey to within 1, and neither follows from the other.
 */
export class RegionalMix {
  readonly #journeys: Mix;
  readonly #regions: readonly Mix[];
  readonly #stride: number;

  /** Shares of journeys and of regions, each summing to 1. */
  constructor(journeys: readonly number[], regions: readonly number[]) {
    this.#journeys = new Mix(journeys);
    this.#regions = journeys.map(() => new Mix(regions));
    this.#stride = journeys.length;
  }

  /** Of the next start: index of its region × number of journeys + index of its journey. */
  next(): number {
    const journey = this.#journeys.next();
    return this.#regions[journey]!.next() * this.#stride + journey;
  }
}
