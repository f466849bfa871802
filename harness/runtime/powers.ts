import { accessSync, constants } from 'node:fs';
import { delimiter, join } from 'node:path';
import { controlGroupsWritable } from '../core/control-groups.ts';

/** What every runtime can do that stands a stack up itself. */
export const EVERYWHERE = [
  'node.kill',
  'node.start',
  'node.pause',
  'link.toxics',
  'link.blackhole-silent',
  'store.query',
] as const;

/** Powers over processes on this machine. What takes `/proc` is not there on macOS. */
export function localPowers(): string[] {
  if (process.platform !== 'linux') return [...EVERYWHERE];
  return [...EVERYWHERE, 'host.stress', ...(hasPrlimit() ? ['node.limits'] : [])];
}

/** Powers over containers. Their processes and control groups are within reach where the engine is on this very Linux. */
export function containerPowers(reachesContainers: boolean): string[] {
  const isRoot = process.getuid?.() === 0;
  if (!reachesContainers || !isRoot || !controlGroupsWritable()) return [...EVERYWHERE];
  return [...EVERYWHERE, 'host.stress', 'node.groups', ...(hasPrlimit() ? ['node.limits'] : [])];
}

/** util-linux's program that sets the limits of a running process. */
function hasPrlimit(): boolean {
  return (process.env.PATH ?? '').split(delimiter).some((folder) => {
    try {
      accessSync(join(folder, 'prlimit'), constants.X_OK);
      return true;
    } catch {
      // Not in this folder.
      return false;
    }
  });
}
