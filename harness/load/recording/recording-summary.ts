import { closeSync, fstatSync, openSync, readSync } from 'node:fs';
import { HarnessError, messageOf } from '../../core/errors.ts';
import {
  broken,
  cutOff,
  decodeEnd,
  decodeHead,
  decodeTail,
  END_BYTES,
  HEAD_BYTES,
  type RecordingSummary,
} from './recording-format.ts';

/** What a whole recording says of itself, read at once from its end. Throws as `openRecording` does. */
export function recordingSummary(path: string): RecordingSummary {
  let file: number;
  try {
    file = openSync(path, 'r');
  } catch (thrown) {
    const hint = 'Give the path of a recording, as `seawall import` wrote it.';
    throw new HarnessError('FILE_UNREADABLE', `${path}: ${messageOf(thrown)}`, hint, thrown);
  }
  try {
    const { size } = fstatSync(file);
    const { originBytes } = decodeHead(bytesAt(file, 0, Math.min(HEAD_BYTES, size)), path);
    const firstOffset = HEAD_BYTES + originBytes;
    const tailOffset = decodeEnd(bytesAt(file, Math.max(firstOffset, size - END_BYTES), END_BYTES));
    if (tailOffset === undefined || tailOffset < firstOffset || tailOffset > size - END_BYTES) {
      throw cutOff(path, 'it has no end');
    }
    return decodeTail(bytesAt(file, tailOffset, size - END_BYTES - tailOffset), firstOffset, path).summary;
  } catch (thrown) {
    if (thrown instanceof HarnessError) throw thrown;
    throw broken(path, 'its end cannot be read', thrown);
  } finally {
    closeSync(file);
  }
}

function bytesAt(file: number, from: number, length: number): Buffer {
  const bytes = Buffer.alloc(Math.max(0, length));
  const got = readSync(file, bytes, 0, bytes.length, from);
  return bytes.subarray(0, got);
}
