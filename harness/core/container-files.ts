import { lstatSync, statfsSync } from 'node:fs';
import { join } from 'node:path';
import { processesOfContainer } from './control-groups.ts';

/** statfs(2) tells a file system in memory by this. */
const TMPFS_MAGIC = 0x01021994;

/** A folder of a running container as this machine reaches it, and what is free in it. */
interface ContainerFolder {
  path: string;
  isInMemory: boolean;
  freeBytes: number;
}

/**
 * Looks into a container's own file system from outside; undefined where the container does not run or has no such
 * folder. A link on the way is no way: an absolute one would lead out of the container, into this machine's files.
 */
export function folderInContainer(containerId: string, folder: string): ContainerFolder | undefined {
  const [main] = processesOfContainer(containerId);
  if (main === undefined) return undefined;
  let path = `/proc/${main.pid}/root`;
  for (const part of folder.split('/').filter((name) => name !== '')) {
    path = join(path, part);
    if (part === '..' || !isFolder(path)) return undefined;
  }
  const { type, bavail, bsize } = statfsSync(path);
  return { path, isInMemory: type === TMPFS_MAGIC, freeBytes: bavail * bsize };
}

function isFolder(path: string): boolean {
  try {
    return lstatSync(path).isDirectory();
  } catch {
    // Not there, or the container ended meanwhile.
    return false;
  }
}
