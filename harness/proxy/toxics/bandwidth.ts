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
    // Only here: a timer that was late must not slow down all that follows it.
    if (this.#items.length === 0) this.#freeAtMs = Math.max(this.#freeAtMs, this.#context.timers.now());
    this.#items.push(item);
    this.#work();
  }

  update(attributes: Attributes): void {
    this.#bytesPerMs = attributes.rate ?? 0;
    this.#stop();
    this.#freeAtMs = this.#context.timers.now();
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

  /** Sends each piece when the line has carried it; a FIN or reset goes once it is first. */
  #work(): void {
    const { timers, pass } = this.#context;
    while (this.#cancel === undefined) {
      const head = this.#items[0];
      if (head === undefined) return;
      if (typeof head === 'string') {
        this.#items.shift();
        pass(head);
        continue;
      }
      if (this.#bytesPerMs === 0) return;
      const bytes = Math.min(head.length, Math.max(1, Math.floor(this.#bytesPerMs * PIECE_MS)));
      const carriedAtMs = this.#freeAtMs + bytes / this.#bytesPerMs;
      if (carriedAtMs <= timers.now()) this.#send(head, bytes, carriedAtMs);
      else {
        this.#cancel = timers.after(carriedAtMs - timers.now(), () => {
          this.#cancel = undefined;
          this.#send(head, bytes, carriedAtMs);
          this.#work();
        });
      }
    }
  }

  #send(head: Buffer, bytes: number, carriedAtMs: number): void {
    this.#freeAtMs = carriedAtMs;
    if (bytes === head.length) this.#items.shift();
    else this.#items[0] = head.subarray(bytes);
    this.#context.pass(head.subarray(0, bytes));
  }
}
