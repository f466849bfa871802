import type { Random } from '../core/random.ts';
import type { Timers } from './timers.ts';
import type { Attributes, Ending, Item, Stage, Toxic } from './toxics/toxic.ts';
import { TOXIC_TYPES } from './toxics/types.ts';

/** Bytes one direction of one connection may hold in its toxics before its source is paused. */
export const HELD_MAX_BYTES = 512 * 1024;

/** The two ends of a direction, as far as it needs them. */
export interface LinkEnds {
  pauseSource(): void;
  resumeSource(): void;
  /** False when the sink wants no more until `drained`. */
  write(bytes: Buffer): boolean;
  finish(item: Ending): void;
  close(how: 'fin' | 'reset'): void;
}

interface Entry {
  name: string;
  stage: Stage;
}

/** One direction of one connection: source → toxics in the order they were added → sink. */
export class Link {
  readonly #ends: LinkEnds;
  readonly #timers: Timers;
  #entries: Entry[] = [];
  #heldBytes = 0;
  #sinkFull = false;
  #paused = false;

  constructor(ends: LinkEnds, timers: Timers) {
    this.#ends = ends;
    this.#timers = timers;
  }

  get silent(): boolean {
    return this.#entries.some(({ stage }) => stage.silent);
  }

  has(toxic: string): boolean {
    return this.#entries.some(({ name }) => name === toxic);
  }

  /** Takes what the source sent. */
  receive(item: Item): void {
    if (typeof item !== 'string') this.#heldBytes += item.length;
    this.#pass(this.#entries[0], item);
    this.#throttle();
  }

  /** The sink takes bytes again. */
  drained(): void {
    this.#sinkFull = false;
    this.#throttle();
  }

  add(toxic: Toxic, random: Random): void {
    const type = TOXIC_TYPES.get(toxic.type);
    if (type === undefined) throw new TypeError(`no toxic type ${toxic.type}`);
    // A stage may act the moment it starts, before it stands in the list: then nothing follows it.
    const entry: { name: string; stage: Stage | undefined } = { name: toxic.name, stage: undefined };
    const after = (): Entry | undefined => this.#entries[this.#entries.indexOf(entry as Entry) + 1];
    entry.stage = type.start(toxic.attributes, {
      timers: this.#timers,
      random,
      pass: (item) => {
        this.#pass(entry.stage === undefined ? undefined : after(), item);
        this.#throttle();
      },
      discard: (bytes) => {
        this.#heldBytes -= bytes;
      },
      close: (how) => this.#ends.close(how),
    });
    this.#entries.push(entry as Entry);
  }

  update(name: string, attributes: Attributes): void {
    for (const entry of this.#entries) if (entry.name === name) entry.stage.update(attributes);
  }

  remove(name: string): void {
    for (const entry of this.#entries.filter((found) => found.name === name)) {
      entry.stage.remove();
      entry.stage.dispose();
      this.#entries = this.#entries.filter((found) => found !== entry);
    }
  }

  dispose(): void {
    for (const { stage } of this.#entries) stage.dispose();
    this.#entries = [];
  }

  #pass(to: Entry | undefined, item: Item): void {
    if (to !== undefined) to.stage.push(item);
    else if (typeof item === 'string') this.#ends.finish(item);
    else {
      this.#heldBytes -= item.length;
      if (!this.#ends.write(item)) this.#sinkFull = true;
    }
  }

  #throttle(): void {
    const limit = this.#paused ? HELD_MAX_BYTES / 2 : HELD_MAX_BYTES;
    const pause = this.#sinkFull || this.#heldBytes > limit;
    if (pause === this.#paused) return;
    this.#paused = pause;
    if (pause) this.#ends.pauseSource();
    else this.#ends.resumeSource();
  }
}
