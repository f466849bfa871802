import { randomUUID } from 'node:crypto';
import { rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { folderInContainer } from '../../core/container-files.ts';
import { HarnessError } from '../../core/errors.ts';
import type { Expectation, Measurement, Probe, Undo } from '../../spi/fault.ts';
import type { Json } from '../../spi/json.ts';
import type { Environment } from '../../spi/runtime.ts';
import { nodeOf } from '../targets.ts';

/** A file system deals in pages, and others write there too. */
const SLACK_BYTES = 64 * 1024;
/** Of what was free before; others may have written meanwhile. */
const FREE_AGAIN_RATIO = 0.9;

interface Request {
  container: string;
  folder: string;
  leave: number;
  freeBefore: number;
}

/** In `args.folder` of the node no more than `args.leave` (± 64 KB) is free, and a file larger than that cannot be written. */
export const nodeDiskFull: Probe = {
  kind: 'node.disk-full',
  resolve: async (expectation, env, undo) => requestFor(expectation, env, undo),
  measure: async (request) => {
    const asked = request as unknown as Request;
    return look(asked, (free, written) => Math.abs(free - asked.leave) <= SLACK_BYTES && !written);
  },
};

/** What was free in `args.folder` of the node before is free again, and a file can be written there. */
export const nodeDiskFree: Probe = {
  kind: 'node.disk-free',
  resolve: async (expectation, env, undo) => requestFor(expectation, env, undo),
  measure: async (request) => {
    const asked = request as unknown as Request;
    return look(asked, (free, written) => free >= FREE_AGAIN_RATIO * asked.freeBefore && written);
  },
};

function look(asked: Request, holds: (freeBytes: number, written: boolean) => boolean): Measurement {
  const found = folderInContainer(asked.container, asked.folder);
  if (found === undefined) return { holds: false, value: 0, unit: 'KB', because: 'the container does not run' };
  const value = Math.round(found.freeBytes / 1000);
  const size = asked.leave + 2 * SLACK_BYTES;
  const written = canWrite(found.path, size);
  const because = `${value} KB are free in ${asked.folder}, and ${Math.round(size / 1000)} KB more could ${written ? '' : 'not '}be written`;
  return { holds: holds(found.freeBytes, written), value, unit: 'KB', because };
}

function canWrite(folder: string, bytes: number): boolean {
  const file = join(folder, `.seawall-probe-${randomUUID()}`);
  try {
    writeFileSync(file, Buffer.alloc(bytes, 1), { flag: 'wx' });
    return true;
  } catch (thrown) {
    if ((thrown as NodeJS.ErrnoException).code === 'ENOSPC') return false;
    throw thrown;
  } finally {
    rmSync(file, { force: true });
  }
}

function requestFor(expectation: Expectation, env: Environment, undo: Undo | undefined): Json {
  const { container } = nodeOf(expectation, env, undo).restartSpec();
  const { folder, leave = 0 } = expectation.args;
  const freeBefore = undo?.state.freeBefore;
  if (typeof container === 'string' && typeof freeBefore === 'number') {
    return { container, folder: folder!, leave, freeBefore };
  }
  const hint = 'Only containers’ file systems are filled and measured.';
  throw new HarnessError('PROBE_FAILED', `${expectation.kind}: there is no container to look into`, hint);
}
