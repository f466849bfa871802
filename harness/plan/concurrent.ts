import type { FaultSpec } from '../spi/plan.ts';
import { latenessOf } from './expand-faults.ts';

type Timing = Pick<FaultSpec, 'name' | 'atMs' | 'forMs' | 'draws' | 'lateMs' | 'after'>;

/** More sets of faults than this are not told apart: one of all of them stands for the worst. */
const SETS_MAX = 500;

/** Which injections can be held at one moment, whatever is drawn and however late what they wait for comes. */
export class Concurrency {
  readonly #all: readonly Timing[];
  /** Names of all that is over, on every path, before the turn of the one named. */
  readonly #over = new Map<string, Set<string>>();

  /** In the order of the plan: a condition names one that stands before. */
  constructor(all: readonly Timing[]) {
    this.#all = all;
    for (const { name, after = [] } of all) {
      const over = new Set<string>();
      for (const { fault, moment } of after) {
        if (moment !== 'bitten') over.add(fault);
        for (const earlier of this.#over.get(fault) ?? []) over.add(earlier);
      }
      this.#over.set(name, over);
    }
  }

  /** Whether there is a moment at which both may be held. */
  canMeet(a: Timing, b: Timing): boolean {
    if (this.#over.get(a.name)?.has(b.name) === true || this.#over.get(b.name)?.has(a.name) === true) return false;
    const together = JSON.stringify(a.draws ?? []) === JSON.stringify(b.draws ?? []);
    const [endA, endB] = [a, b].map(
      ({ atMs, forMs, lateMs = 0, draws }) =>
        atMs + forMs + (together ? lateMs : latenessOf({ lateMs, draws: draws ?? [] })),
    ) as [number, number];
    return a.atMs < endB && b.atMs < endA;
  }

  /**
   * The largest sets, `last` among them, that may be held at one moment, of those whose turn is not after its own.
   * Indices into the list that was given, in its order.
   */
  setsWith(last: number): number[][] {
    const { atMs } = this.#all[last]!;
    const candidates = this.#all.flatMap((one, index) => {
      const earlier = one.atMs < atMs || (one.atMs === atMs && index < last);
      return earlier && index !== last && this.canMeet(one, this.#all[last]!) ? [index] : [];
    });
    const found: number[][] = [];
    const complete = this.#grow([], candidates, [], found);
    return (complete ? found : [candidates]).map((set) => [...set, last].toSorted((a, b) => a - b));
  }

  /** Bron and Kerbosch's search for maximal cliques; false when there are too many. */
  #grow(set: number[], candidates: number[], done: number[], found: number[][]): boolean {
    if (candidates.length === 0 && done.length === 0) found.push(set);
    if (found.length > SETS_MAX) return false;
    const meets = (one: number) => (other: number) => this.canMeet(this.#all[one]!, this.#all[other]!);
    let rest = candidates;
    let seen = done;
    for (const one of candidates) {
      rest = rest.filter((other) => other !== one);
      if (!this.#grow([...set, one], rest.filter(meets(one)), seen.filter(meets(one)), found)) return false;
      seen = [...seen, one];
    }
    return true;
  }
}
