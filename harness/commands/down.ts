import { healDeadRuns, healRun } from '../run/heal.ts';
import { EXIT } from './exit.ts';
import { describeHeal } from './heal.ts';
import { keptNamed } from './kept.ts';
import { healDeps } from './wiring.ts';

/** `seawall down [STACK]`: takes a kept stack down, whatever state it is in. A run that is at work on it is not touched. */
export async function downCommand(stackId: string | undefined): Promise<number> {
  const deps = healDeps();
  const kept = keptNamed(stackId, deps.index);
  // What dead runs left on it goes first: their helpers are not the stack's.
  const dead = await healDeadRuns(deps);
  const result = await healRun(deps.index.get(kept.stackId)!, deps);
  for (const healed of [...dead, result]) process.stdout.write(describeHeal(healed));
  const failed = [...dead, result].some((healed) => healed.failed.length > 0);
  if (!failed) process.stdout.write(`stack ${kept.stackId} is down\n`);
  return failed ? EXIT.leftover : EXIT.pass;
}
