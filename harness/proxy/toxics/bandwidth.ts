import type { Attributes, Item, Stage, StageContext, ToxicType } from './toxic.ts';

/** A slow link hands on what passes in this time as one piece. */
const PIECE_MS = 50;

/** Lets `rate` KB (of 1000 bytes) pass in a second; rate 0 lets nothing pass. Taken off, what is held goes on at once. */
export const bandwidth: ToxicType = {
  type: 'bandwidth',
  attributes: { rate: { max: 100_000_000 } },
  start: (attributes, context) => new BandwidthStage(attributes, context),
};

class BandwidthStage implements Stage {
  readonly silent = false;
  readonly #context: StageContext;
  #bytesPerMs: number;
  #items: Item[] = [];
  /** When the line is free again. */
  #freeAtMs = 0;
  #cancel: (() => void) | undefined;

  constructor(attributes: Attributes, context: StageContext) {
    this.#context = context;
    this.#bytesPerMs = attributes.rate ?? 0;
  }

  push(item: Item): void {
    this.#items.push(item);
    this.#work();
  }

  update(attributes: Attributes): void {
    this.#bytesPerMs = attributes.rate ?? 0;
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

  /** Sends the head's next piece when the line has carried it; a FIN or reset goes once it is first. */
  #work(): void {
    if (this.#cancel !== undefined) return;
    for (let head = this.#items[0]; typeof head === 'string'; head = this.#items[0]) {
      this.#items.shift();
      this.#context.pass(head);
    }
    const head = this.#items[0];
    if (head === undefined || typeof head === 'string' || this.#bytesPerMs === 0) return;
    const { timers } = this.#context;
    const piece = head.subarray(0, Math.max(1, Math.floor(this.#bytesPerMs * PIECE_MS)));
    this.#freeAtMs = Math.max(this.#freeAtMs, timers.now()) + piece.length / this.#bytesPerMs;
    this.#cancel = timers.after(this.#freeAtMs - timers.now(), () => {
      this.#cancel = undefined;
      if (piece.length === head.length) this.#items.shift();
      else this.#items[0] = head.subarray(piece.length);
      this.#context.pass(piece);
      this.#work();
    });
  }
}
