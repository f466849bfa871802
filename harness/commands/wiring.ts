import { HarnessError } from '../core/errors.ts';
import { FAULT_DRIVERS, RUNTIMES } from '../registry.ts';
import type { HealDeps } from '../run/heal.ts';
import { RunIndex } from '../run/run-index.ts';

/** What `heal`, `stop` and the start of a run need to find and undo the work of others. */
export function healDeps(): HealDeps {
  return {
    index: new RunIndex(),
    runtime: (name) => RUNTIMES.find((runtime) => runtime.name === name),
    faultDriver: (name) => FAULT_DRIVERS.find((driver) => driver.name === name),
  };
}

/** A built-in by its name; compile has already made sure that it exists. */
export function byName<T extends { name: string }>(all: readonly T[], name: string, what: string): T {
  const found = all.find((one) => one.name === name);
  if (found !== undefined) return found;
  throw new HarnessError('INTERNAL', `no ${what} is called ${name}`, `Known: ${all.map((one) => one.name).join(', ')}`);
}
