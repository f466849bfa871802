import { StringDecoder } from 'node:string_decoder';
import { HarnessError } from '../../core/errors.ts';
import { openRecording } from './recording-reader.ts';
import type { ScanFinding, Scanner } from './scanner.ts';
import { openSource, type SourceBytes } from './source-bytes.ts';

const RECORDING = Buffer.from('SEAWALLR');
/** A longer line is looked at in pieces that overlap by more than any value is long. */
const LINE_MAX = 1024 * 1024;
const OVERLAP = 4096;
/** A JSON document of up to so much is looked at as a whole, so that keys reach values on other lines. */
const WHOLE_MAX = 4 * 1024 * 1024;

export interface PlacedFinding extends ScanFinding {
  /** Number of the request or line, from 1. */
  at: number;
}

export interface FileScan {
  file: string;
  kind: 'recording' | 'text';
  /** Requests of a recording, lines of a text. */
  units: number;
  /** How many values were found, by class. */
  counts: Map<string, number>;
  /** The first of them. */
  findings: PlacedFinding[];
}

/** Looks through a recording or a text (also packed by gzip, also `-`), streaming. Keeps the first `keep` findings. */
export async function scanFile(path: string, scanner: Scanner, keep: number): Promise<FileScan> {
  const source = await openSource(path);
  const isRecording = source.start.subarray(0, RECORDING.length).equals(RECORDING);
  const scan: FileScan = {
    file: source.name,
    kind: isRecording ? 'recording' : 'text',
    units: 0,
    counts: new Map(),
    findings: [],
  };
  const note = (found: readonly ScanFinding[], at: number, offset = 0): void => {
    for (const one of found) {
      scan.counts.set(one.class, (scan.counts.get(one.class) ?? 0) + 1);
      if (scan.findings.length < keep) scan.findings.push({ ...one, at, offset: one.offset + offset });
    }
  };
  if (isRecording) await scanRecording(path, scan, scanner, note);
  else await scanText(source, scan, scanner, note);
  return scan;
}

type Note = (found: readonly ScanFinding[], at: number, offset?: number) => void;

async function scanRecording(path: string, scan: FileScan, scanner: Scanner, note: Note): Promise<void> {
  await using recording = await openRecording(path);
  note(scanner.text(recording.origin.inputs.join('\n'), 'names of the inputs'), 0);
  for await (const request of recording.read()) {
    scan.units += 1;
    note(scanner.recorded(request), scan.units);
  }
}

async function scanText(source: SourceBytes, scan: FileScan, scanner: Scanner, note: Note): Promise<void> {
  if (source.start.includes(0)) {
    const hint = 'seawall scan reads recordings and texts (logs, NDJSON, HAR), also packed by gzip.';
    throw new HarnessError('FILE_UNREADABLE', `${source.name} is neither a recording nor a text`, hint);
  }
  const decoder = new StringDecoder('utf8');
  let rest = '';
  let whole: string | undefined = /^[\s\ufeff]*[[{]/.test(source.start.toString('utf8', 0, 256)) ? '' : undefined;
  /** Of the line that `rest` is the end of, what was looked at before. */
  let before = 0;
  const look = (line: string): void => note(scanner.text(line), scan.units, before);
  for await (const bytes of source.pieces) {
    const piece = decoder.write(bytes);
    if (whole !== undefined) whole = whole.length + piece.length <= WHOLE_MAX ? whole + piece : undefined;
    const lines = (rest + piece).split('\n');
    rest = lines.pop()!;
    for (const line of lines) {
      scan.units += 1;
      look(line);
      before = 0;
    }
    while (rest.length > LINE_MAX) {
      note(scanner.text(rest.slice(0, LINE_MAX)), scan.units + 1, before);
      rest = rest.slice(LINE_MAX - OVERLAP);
      before += LINE_MAX - OVERLAP;
    }
  }
  rest += decoder.end();
  if (rest !== '') {
    scan.units += 1;
    look(rest);
  }
  if (whole !== undefined && scan.units > 1) lookAtWhole(whole, scan, scanner, note);
}

/** What only the whole document shows; where it stands is known by line alone. */
function lookAtWhole(text: string, scan: FileScan, scanner: Scanner, note: Note): void {
  const seen = new Map(scan.counts);
  const more = scanner.text(text).filter((one) => {
    const left = seen.get(one.class) ?? 0;
    seen.set(one.class, left - 1);
    return left <= 0;
  });
  for (const one of more) {
    const lines = text.slice(0, one.offset).split('\n');
    note([{ ...one, offset: lines.at(-1)!.length }], lines.length);
  }
}
