import type { Engine } from './engine.ts';

const TICK_MS = 1;
/** A timer may come this late: what is due sooner is waited for awake. */
const SPIN_BEFORE_MS = 1.5;

/**
 * Wakes an engine when there is something to do. `timer`: every millisecond, which costs next to nothing and sends up
 * to a millisecond or two late; `spin`: by timer until shortly before the next start, then by turning the event loop
 * over and over, which is exact and costs the whole core. Answers wake it too, so that a busy generator is on time.
 */
export class SendLoop {
  readonly #engine: Engine;
  readonly #spin: boolean;
  #timer: NodeJS.Timeout | undefined;
  #over = false;

  constructor(engine: Engine, spin: boolean) {
    this.#engine = engine;
    this.#spin = spin;
  }

  start(): void {
    if (this.#spin) this.#turn();
    else this.#timer = setInterval(() => this.#engine.tick(), TICK_MS);
  }

  end(): void {
    this.#over = true;
    clearInterval(this.#timer);
  }

  #turn(): void {
    if (this.#over) return;
    this.#engine.tick();
    const waitMs = this.#engine.nextMs - this.#engine.now();
    if (waitMs > SPIN_BEFORE_MS + TICK_MS) {
      // Deadlines want to be looked at as well, and whole milliseconds are all that timers know.
      setTimeout(() => this.#turn(), Math.min(TICK_MS * 5, Math.floor(waitMs - SPIN_BEFORE_MS)));
    } else setImmediate(() => this.#turn());
  }
}
