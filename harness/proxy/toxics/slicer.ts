import type { Attributes, Item, Stage, StageContext, ToxicType } from './toxic.ts';

const PIECE_MAX_BYTES = 1_000_000;
const DAY_US = 86_400_000_000;

/**
 * Cuts what passes into pieces of `average_size` ± `size_variation` bytes, evenly drawn, with `delay` µs after each. A
 * timer knows whole ms: of shorter delays several pieces go together, their sum is kept. Taken off, what is held goes on
 * at once.
 */
export const slicer: ToxicType = {
  type: 'slicer',
  attributes: {
    average_size: { min: 1, max: PIECE_MAX_BYTES },
    size_variation: { max: PIECE_MAX_BYTES },
    delay: { max: DAY_US },
  },
  problem: ({ average_size: average = 0, size_variation: variation = 0 }) =>
    variation > average ? 'size_variation: expected at most average_size' : undefined,
  start: (attributes, context) => new SlicerStage(attributes, context),
};

class SlicerStage implements Stage {
  readonly silent = false;
  readonly #context: StageContext;
  #attributes: Attributes;
  #items: Item[] = [];
  /** When the next piece may go. */
  #freeAtMs = 0;
  #cancel: (() => void) | undefined;

  constructor(attributes: Attributes, context: StageContext) {
    this.#attributes = attributes;
    this.#context = context;
  }

  push(item: Item): void {
    // Only here: a timer that was late must not make every piece after it late too.
    if (this.#items.length === 0) this.#freeAtMs = Math.max(this.#freeAtMs, this.#context.timers.now());
    this.#items.push(item);
    this.#work();
  }

  update(attributes: Attributes): void {
    this.#attributes = attributes;
    this.#stop();
    this.#freeAtMs = 0;
    this.#work();
  }

  remove(): void {
    const items = this.#items;
    this.dispose();
    for (const item of items) this.#context.pass(item);
  }

  dispose(): void {
    this.#stop();
    this.#items = [];
  }

  #stop(): void {
    this.#cancel?.();
    this.#cancel = undefined;
  }

  /** Sends what is due; an end waits for its turn like a piece. */
  #work(): void {
    const { timers, pass } = this.#context;
    while (this.#cancel === undefined && this.#items.length > 0) {
      const waitMs = this.#freeAtMs - timers.now();
      if (waitMs > 0) {
        this.#cancel = timers.after(waitMs, () => {
          this.#cancel = undefined;
          this.#work();
        });
        return;
      }
      this.#freeAtMs += (this.#attributes.delay ?? 0) / 1000;
      pass(this.#next());
    }
  }

  #next(): Item {
    const head = this.#items[0]!;
    if (typeof head === 'string') return this.#items.shift()!;
    const piece = head.subarray(0, this.#pieceBytes());
    if (piece.length === head.length) this.#items.shift();
    else this.#items[0] = head.subarray(piece.length);
    return piece;
  }

  #pieceBytes(): number {
    const { average_size: average = 1, size_variation: variation = 0 } = this.#attributes;
    return Math.max(1, average + (variation === 0 ? 0 : this.#context.random.integer(-variation, variation)));
  }
}
