import { closeSync, fsyncSync, openSync, writeSync } from 'node:fs';
import { HarnessError, messageOf } from '../core/errors.ts';

/** A file that only grows. Writes are synchronous: a line that was appended is in the kernel when the call returns. */
export interface AppendFile {
  write(data: string | Uint8Array): void;
  /** On the disk when it returns. */
  sync(): void;
  close(): void;
}

export type OpenAppend = (path: string) => AppendFile;

export const openAppend: OpenAppend = (path) => {
  const fd = guarded(path, () => openSync(path, 'a'));
  return {
    write: (data) => {
      const bytes = typeof data === 'string' ? Buffer.from(data) : data;
      guarded(path, () => {
        for (let done = 0; done < bytes.length; ) done += writeSync(fd, bytes, done);
      });
    },
    sync: () => guarded(path, () => fsyncSync(fd)),
    close: () => closeSync(fd),
  };
};

function guarded<T>(path: string, work: () => T): T {
  try {
    return work();
  } catch (thrown) {
    throw writeFailure(path, thrown);
  }
}

/** What a failed write means to the user. */
export function writeFailure(path: string, thrown: unknown): HarnessError {
  const code = (thrown as NodeJS.ErrnoException).code;
  if (code === 'ENOSPC' || code === 'EDQUOT') {
    return new HarnessError(
      'DISK_FULL',
      `${path} cannot grow: ${code}`,
      'Free some space or choose another --out.',
      thrown,
    );
  }
  return new HarnessError(
    'FILE_UNREADABLE',
    `${path}: ${messageOf(thrown)}`,
    'Check the path and its permissions.',
    thrown,
  );
}
