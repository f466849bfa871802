import type { StepFailure } from '../spi/load.ts';
import { mask } from './mask.ts';

const FAILURES_MAX = 10_000;
/** So that one class does not crowd out the others. */
const CLASS_MAX = 4_000;
const BODY_MAX = 500;

/** Failed steps with masked bodies, as many as are worth keeping; the rest is counted. */
export class FailureLog {
  #kept = 0;
  #omitted = 0;
  readonly #byClass = new Map<string, number>();
  #pending: StepFailure[] = [];

  get omitted(): number {
    return this.#omitted;
  }

  add(failure: StepFailure): void {
    const ofClass = this.#byClass.get(failure.class) ?? 0;
    if (this.#kept >= FAILURES_MAX || ofClass >= CLASS_MAX) {
      this.#omitted++;
      return;
    }
    this.#kept++;
    this.#byClass.set(failure.class, ofClass + 1);
    const body = failure.body === null ? null : mask(failure.body).slice(0, BODY_MAX);
    this.#pending.push({ ...failure, body });
  }

  /** Those added since the last call. */
  take(): StepFailure[] {
    const taken = this.#pending;
    this.#pending = [];
    return taken;
  }
}
