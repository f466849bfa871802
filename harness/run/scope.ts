import { within } from '../core/deadline.ts';
import { HarnessError, messageOf } from '../core/errors.ts';

/**
 * Undo in reverse order, each with a deadline of its own and none at the expense of another: a task that fails or
 * hangs is named and the rest go on. Tasks are pushed BEFORE what they undo is done.
 */
export class Scope {
  readonly #tasks: { name: string; deadlineMs: number; undo: () => Promise<void> }[] = [];

  defer(name: string, deadlineMs: number, undo: () => Promise<void>): void {
    this.#tasks.push({ name, deadlineMs, undo });
  }

  /** Runs what is left, last first; returns what failed, in words. Calling it again runs nothing twice. */
  async unwind(): Promise<string[]> {
    const failures: string[] = [];
    for (let task = this.#tasks.pop(); task !== undefined; task = this.#tasks.pop()) {
      const { name, deadlineMs, undo } = task;
      const late = (): Error => new HarnessError('HEAL_INCOMPLETE', `not done within ${deadlineMs} ms`, 'seawall heal');
      try {
        await within(deadlineMs, undo(), late);
      } catch (thrown) {
        failures.push(`${name}: ${messageOf(thrown)}`);
      }
    }
    return failures;
  }
}
