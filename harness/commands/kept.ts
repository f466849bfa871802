import { HarnessError } from '../core/errors.ts';
import { type KeptStack, readKept } from '../run/kept-stack.ts';
import type { RunIndex } from '../run/run-index.ts';
import type { Plan } from '../spi/plan.ts';
import { planFromText } from './plan-options.ts';

/** The kept stack that is meant: by its id, or the only one there is. */
export function keptNamed(stackId: string | undefined, index: RunIndex): KeptStack {
  const kept = index.list().filter((entry) => entry.kept === true);
  const named = stackId === undefined ? kept : kept.filter((entry) => entry.runId === stackId);
  if (named.length === 1) return readKept(named[0]!.runDir);
  const known = kept.map(({ runId }) => runId).join(', ');
  if (named.length > 1) throw new HarnessError('USAGE', `several stacks are up: ${known}`, 'Name the one you mean.');
  const message = stackId === undefined ? 'no stack is up' : `no stack ${stackId} is up`;
  const hint = known === '' ? 'Stand one up: seawall up plans/steady-state.yaml' : `Up: ${known}`;
  throw new HarnessError('STACK_UNKNOWN', message, hint);
}

/** Works with the stack while this process holds it. Throws RUN_ALIVE when another one does. */
export async function holding<T>(stackId: string, index: RunIndex, work: () => Promise<T>): Promise<T> {
  index.lock(stackId);
  try {
    return await work();
  } finally {
    index.unlock(stackId);
  }
}

/** The plan that the stack was stood up by, as it was then. */
export function planOf({ planFile, planText, overrides }: KeptStack): Plan {
  return planFromText(planFile, planText, overrides).plan;
}
