import { closeSync, constants, openSync, rmSync, statfsSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import { folderInContainer } from '../../harness/core/container-files.ts';
import { HarnessError } from '../../harness/core/errors.ts';
import type { Effect, FaultDriver, Undo } from '../../harness/spi/fault.ts';
import type { JsonObject } from '../../harness/spi/json.ts';
import type { Capabilities, Support } from '../../harness/spi/runtime.ts';
import { containerOf } from './node-means.ts';
import { nodeOf } from './node-of.ts';

/** A tmpfs is this machine's memory: no more than this is ever taken of it. */
const FILL_MAX_BYTES = 1_000_000_000;
const PAGE_BYTES = 4096;
const STEP_BYTES = 256 * PAGE_BYTES;

/** What `undo.state` holds. */
interface FillState {
  container: string;
  folder: string;
  /** Ours, in that folder. */
  file: string;
  leave: number;
  freeBefore: number;
}

/** One file of ours that takes what is free in a file system in memory of a container. It goes with the container. */
export const diskFillDriver: FaultDriver = {
  name: 'disk-fill',
  accepts,
  prepare: async (effect, env, ctx) => {
    const node = await nodeOf(effect, env, ctx.signal);
    const container = containerOf(node.restartSpec());
    const { folder, leave } = effect.args as { folder: string; leave: number };
    const found = folderInContainer(container, folder);
    if (found === undefined) throw refused(node.spec.id, `${folder} is no folder there, or a link is on the way to it`);
    if (!found.isInMemory) throw refused(node.spec.id, `${folder} is no tmpfs, and filling it would fill this machine`);
    if (found.freeBytes - leave > FILL_MAX_BYTES) {
      const free = Math.round(found.freeBytes / 1e6);
      throw refused(node.spec.id, `${folder} has ${free} MB free, and no more than 1 GB of memory is taken`);
    }
    const file = `.seawall-${ctx.runId}`;
    const state: FillState = { container, folder, file, leave, freeBefore: found.freeBytes };
    const { owner } = env;
    return { driver: 'disk-fill', owner, on: { node: node.spec.id }, state: state as unknown as JsonObject };
  },
  apply: async (undo) => {
    const { container, folder, file, leave } = stateOf(undo);
    const found = folderInContainer(container, folder);
    if (found === undefined) throw refused(container, 'it ended before it could be filled');
    fill(found.path, file, leave);
  },
  revert: async (undo) => {
    const { container, folder, file } = stateOf(undo);
    const found = folderInContainer(container, folder);
    // What was in memory is gone with the container.
    if (found !== undefined) rmSync(join(found.path, file), { force: true });
  },
};

/** Writes until no more than `leave` is free, or until nothing can be written. */
function fill(folder: string, file: string, leave: number): void {
  const { O_CREAT, O_WRONLY, O_TRUNC, O_NOFOLLOW } = constants;
  const handle = openSync(join(folder, file), O_CREAT | O_WRONLY | O_TRUNC | O_NOFOLLOW, 0o600);
  try {
    for (let written = 0; written <= FILL_MAX_BYTES; ) {
      const { bavail, bsize } = statfsSync(folder);
      const wanted = Math.min(STEP_BYTES, bavail * bsize - leave);
      if (wanted < PAGE_BYTES) return;
      written += writeSync(handle, Buffer.alloc(wanted, 1));
    }
  } catch (thrown) {
    if ((thrown as NodeJS.ErrnoException).code !== 'ENOSPC') throw thrown;
  } finally {
    closeSync(handle);
  }
}

const stateOf = (undo: Undo): FillState => undo.state as unknown as FillState;

function accepts(effect: Effect, { runtime, powers }: Capabilities): Support | undefined {
  if (effect.kind !== 'node.disk-filled') {
    return undefined;
  }
  const hint = 'Use the containers runtime, as root on the Linux that its engine runs on.';
  if (runtime !== 'containers') {
    return { ok: false, reason: 'a node that is a process has this machine’s disk, which is never filled', hint };
  }
  if (powers.includes('node.groups')) return { ok: true };
  return { ok: false, reason: 'the file systems of the containers are out of reach', hint };
}

function refused(node: string, why: string): HarnessError {
  const hint = 'Name a tmpfs that the container has; /dev/shm is in all of them.';
  return new HarnessError('FAULT_TARGET_EMPTY', `${node}: ${why}`, hint);
}
