import type { Executor } from './executor.ts';
import { HealthMeter } from './health.ts';
import type { FromGenerator } from './messages.ts';

const HEALTH_MS = 1000;
/** A tool that takes nothing for so long that this much waits has stopped to listen. */
const WAITING_ACKS_MAX = 1_000_000;

/**
 * What an executor has to tell, in batches of which one at most is on its way: what comes meanwhile is gathered in the
 * executor's windows, so a slow tool costs little memory here.
 */
export class Batches {
  readonly #executor: Executor;
  readonly #scenario: string;
  readonly #say: (message: FromGenerator) => Promise<void>;
  readonly #meter = new HealthMeter();
  #busy = false;
  #healthMs = performance.now();

  constructor(executor: Executor, scenario: string, say: (message: FromGenerator) => Promise<void>) {
    this.#executor = executor;
    this.#scenario = scenario;
    this.#say = say;
  }

  /** Sends what there is. Returns whether that was the last of it. */
  turn(): boolean {
    if (this.#busy) {
      if (this.#executor.acksWaiting <= WAITING_ACKS_MAX) return false;
      throw new Error('the tool has stopped to take the load’s results');
    }
    const last = this.#executor.done;
    const { windows, acks, failures } = this.#executor.output();
    const health = this.#health();
    if (!last && health === undefined && windows.length + acks.length + failures.length === 0) return false;
    this.#busy = true;
    const message: FromGenerator = { type: 'output', windows, acks, failures };
    void this.#say(health === undefined ? message : { ...message, health }).then(() => {
      this.#busy = false;
      return last ? this.#say({ type: 'done', summary: this.#executor.summary }) : undefined;
    });
    return last;
  }

  #health(): ReturnType<HealthMeter['read']> | undefined {
    const now = performance.now();
    if (now - this.#healthMs < HEALTH_MS) return undefined;
    this.#healthMs = now;
    return this.#meter.read(this.#scenario, this.#executor.now(), this.#executor.inFlight);
  }
}
