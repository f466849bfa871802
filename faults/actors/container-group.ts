import {
  type Controller,
  controlGroupsOf,
  groupOf,
  joinGroup,
  processesOfContainer,
} from '../../harness/core/control-groups.ts';
import { HarnessError } from '../../harness/core/errors.ts';
import { isAlive } from '../../harness/core/process-identity.ts';

/** An engine tries for some tenths of a second to remove the group of a container that ended. */
const LOOK_MS = 25;

/**
 * Puts this process into a container's control group. The signal that it returns fires when `over` does, or when the
 * container ends: this process has left the group by then, since nobody can remove one that somebody is in.
 */
export function joinContainer(container: string, controller: Controller, over: AbortSignal): AbortSignal {
  const [groups, home] = [controlGroupsOf(container), groupOf(process.pid, controller)];
  const [main] = processesOfContainer(container);
  if (groups === undefined || home === undefined || main === undefined) {
    const hint = 'It must run, on this very Linux.';
    throw new HarnessError('FAULT_TARGET_EMPTY', `no process of the container ${container} is to be seen`, hint);
  }
  joinGroup(process.pid, groups[controller]);
  const ended = new AbortController();
  const looking = setInterval(() => {
    if (isAlive(main)) return;
    clearInterval(looking);
    joinGroup(process.pid, home);
    ended.abort(new Error('the container ended'));
  }, LOOK_MS).unref();
  return AbortSignal.any([over, ended.signal]);
}
