import { renameSync, rmSync } from 'node:fs';
import { basename } from 'node:path';
import { HarnessError } from '../../core/errors.ts';
import { partOf } from './part-file.ts';
import { NO_NOTES, type RecordingSummary } from './recording-format.ts';
import type { Recording } from './recording-reader.ts';
import { RecordingWriter } from './recording-writer.ts';

/** Writes what is left of a recording that was cut off as a whole one, which says so. Nothing in it is masked anew. */
export async function salvageRecording(recording: Recording, out: string): Promise<RecordingSummary> {
  if (recording.blocks.length === 0) {
    const hint = 'Record or import it again.';
    throw new HarnessError('RECORDING_EMPTY', `${recording.path} has no whole block: nothing is left of it`, hint);
  }
  const part = partOf(out);
  const writer = new RecordingWriter(part, recording.origin);
  try {
    for await (const request of recording.read()) {
      writer.add(request);
      writer.settle();
    }
    const lost = recording.lost?.bytes ?? 0;
    const remark = `this is what was left of ${basename(recording.path)}, whose last ${lost} bytes were lost`;
    const summary = writer.close({ ...NO_NOTES, remarks: [remark] });
    renameSync(part, out);
    return summary;
  } catch (thrown) {
    writer.abandon();
    rmSync(part, { force: true });
    throw thrown;
  }
}
