import { closeSync, fstatSync, openSync, readSync } from 'node:fs';
import { HarnessError, messageOf } from '../../core/errors.ts';
import {
  type BlockEntry,
  broken,
  cutOff,
  decodeEnd,
  decodeHead,
  decodeTail,
  END_BYTES,
  HEAD_BYTES,
  type RecordingOrigin,
  type RecordingSummary,
} from './recording-format.ts';

/** What stands at both ends of a recording. */
export interface RecordingEnds {
  version: number;
  origin: RecordingOrigin;
  bytes: number;
  /** Where the first block begins. */
  firstOffset: number;
  /** Undefined: the file was cut off. `sessions` is as it is stored. */
  tail: { summary: RecordingSummary; blocks: BlockEntry[]; sessions: Buffer } | undefined;
}

/** Reads both ends of an open file. One that is empty, damaged, of a newer version or no recording is refused with its code. */
export function readEnds(path: string, file: number): RecordingEnds {
  const bytes = fstatSync(file).size;
  const { version, originBytes } = decodeHead(bytesAt(file, 0, Math.min(HEAD_BYTES, bytes)), path);
  const firstOffset = HEAD_BYTES + originBytes;
  if (bytes < firstOffset) throw cutOff(path, `it ends after ${bytes} bytes, within its head`);
  const origin = parseOrigin(bytesAt(file, HEAD_BYTES, originBytes), path);
  const known = { version, origin, bytes, firstOffset };
  const tailOffset = decodeEnd(bytesAt(file, Math.max(firstOffset, bytes - END_BYTES), END_BYTES));
  if (tailOffset === undefined) return { ...known, tail: undefined };
  if (!(tailOffset >= firstOffset && tailOffset <= bytes - END_BYTES)) throw broken(path, 'its end points nowhere');
  const stored = bytesAt(file, tailOffset, bytes - END_BYTES - tailOffset);
  const tail = guarded(path, () => decodeTail(stored, firstOffset, path));
  if (tail.summary.requests > 0) return { ...known, tail };
  const hint = 'Import or record it again, from a source with traffic.';
  throw new HarnessError('RECORDING_EMPTY', `${path} holds no request`, hint);
}

/** For whoever cannot open one. */
export function unreadable(path: string, thrown: unknown): HarnessError {
  const hint = 'Give the path of a recording, as `seawall import` wrote it.';
  return new HarnessError('FILE_UNREADABLE', `${path}: ${messageOf(thrown)}`, hint, thrown);
}

/** What a whole recording says of itself. Throws as `openRecording` does. */
export function recordingSummary(path: string): RecordingSummary {
  let file: number;
  try {
    file = openSync(path, 'r');
  } catch (thrown) {
    throw unreadable(path, thrown);
  }
  try {
    const { tail } = readEnds(path, file);
    if (tail === undefined) throw cutOff(path, 'it has no end');
    return tail.summary;
  } finally {
    closeSync(file);
  }
}

/** Does what reads a file's own structure: whatever goes wrong in it is damage. */
export function guarded<T>(path: string, work: () => T): T {
  try {
    return work();
  } catch (thrown) {
    if (thrown instanceof HarnessError) throw thrown;
    throw broken(path, messageOf(thrown), thrown);
  }
}

function parseOrigin(bytes: Buffer, path: string): RecordingOrigin {
  return guarded(path, () => JSON.parse(bytes.toString()) as RecordingOrigin);
}

function bytesAt(file: number, offset: number, length: number): Buffer {
  const bytes = Buffer.allocUnsafe(length);
  let done = 0;
  while (done < length) {
    const count = readSync(file, bytes, done, length - done, offset + done);
    if (count === 0) break;
    done += count;
  }
  return bytes.subarray(0, done);
}
