import { renameSync, rmSync } from 'node:fs';
import { basename } from 'node:path';
import { HarnessError } from '../../core/errors.ts';
import { GorReader } from './gor-reader.ts';
import { HarReader } from './har-reader.ts';
import type { LineFormat } from './line-format.ts';
import { LineRows, type RowOptions } from './line-rows.ts';
import { LogReader } from './log-reader.ts';
import { MalformedBook } from './malformed-book.ts';
import type { Masker } from './masker.ts';
import { partOf } from './part-file.ts';
import type { Recorded } from './recorded.ts';
import type { RecordingSummary } from './recording-format.ts';
import { RecordingWriter } from './recording-writer.ts';
import { SecondSpread } from './second-spread.ts';
import { type SessionRule, sessionRuleText } from './session-rule.ts';
import { openSource, type SourceBytes } from './source-bytes.ts';
import { detectFormat, givenFormat, type SourceFormat, type SourceName } from './source-format.ts';
import type { SourceReader, SourceSink } from './source-reader.ts';

const PIECE_BYTES = 1024 * 1024;
/** With several inputs, none runs further ahead of the others than a piece. */
const LEAST_PIECE_BYTES = 64 * 1024;

export interface ImportOptions {
  /** Every request passes it before anything is written. */
  masker: Masker;
  from?: SourceName | undefined;
  /** A log format, as it stands in the server's configuration. */
  format?: string | undefined;
  session: SessionRule;
  /** Reads every line as a text, as those are that are not plain: for comparing both. */
  asText?: boolean;
}

export interface ImportedInput {
  name: string;
  format: string;
  bytes: number;
  requests: number;
  malformed: number;
}

export interface ImportResult {
  summary: RecordingSummary;
  inputs: ImportedInput[];
  malformed: MalformedBook;
}

/**
 * Reads inputs (paths; `-` is stdin) side by side in order of time, masks each request, and writes one recording. Memory
 * is bounded whatever the inputs' size. The file appears under its name only when it is whole. An input without a single
 * request is an error (IMPORT_EMPTY).
 */
export async function importRecording(
  paths: readonly string[],
  out: string,
  options: ImportOptions,
): Promise<ImportResult> {
  const pieceBytes = Math.max(LEAST_PIECE_BYTES, Math.floor(PIECE_BYTES / paths.length));
  const sources = await Promise.all(paths.map((path) => openSource(path, pieceBytes)));
  const given = givenFormat(options.from, options.format);
  const formats = sources.map(({ name, start }) => given ?? detectFormat(name, start, options.from));
  const part = partOf(out);
  const writer = new RecordingWriter(part, {
    format: [...new Set(formats.map(titleOf))].join(', '),
    inputs: paths.map((path) => (path === '-' ? 'stdin' : basename(path))),
    session: sessionRuleText(options.session),
  });
  const job = new ImportJob(writer, options);
  try {
    await job.readAll(sources.map((source, index) => job.open(source, formats[index]!, index)));
    const result = job.finish();
    renameSync(part, out);
    return result;
  } catch (thrown) {
    writer.abandon();
    rmSync(part, { force: true });
    throw thrown;
  }
}

interface OpenInput {
  told: ImportedInput;
  pieces: AsyncIterator<Buffer>;
  reader: SourceReader;
  spread: SecondSpread;
  /** The newest time it gave; all the rest of it is expected after that, bar the reorder window. */
  newestMs: number;
  /** What can be said of it when it has been read. */
  remarks(): string[];
}

class ImportJob {
  readonly #writer: RecordingWriter;
  readonly #options: ImportOptions;
  readonly #malformed = new MalformedBook();
  readonly #inputs: ImportedInput[] = [];
  readonly #remarks = new Set<string>();
  #spread = 0;
  #bodiesLeftOut = 0;

  constructor(writer: RecordingWriter, options: ImportOptions) {
    this.#writer = writer;
    this.#options = options;
  }

  open(source: SourceBytes, format: SourceFormat, index: number): OpenInput {
    const told = { name: source.name, format: titleOf(format), bytes: 0, requests: 0, malformed: 0 };
    this.#inputs.push(told);
    const sink: SourceSink = {
      request: (request, wholeSecond, endStamped) => this.#request(input, request, wholeSecond, endStamped),
      malformed: (number, reason, bytes) => {
        told.malformed++;
        this.#malformed.add(told.name, number, reason, bytes);
      },
      bodyLeftOut: () => {
        this.#bodiesLeftOut++;
      },
    };
    const { session, masker, asText } = this.#options;
    const rules = asText === true ? undefined : masker.fields;
    const give: RowOptions['give'] = (atMs, lessMs, wholeSecond, row) => {
      told.requests++;
      this.#placeRow(input, atMs, lessMs, wholeSecond, row);
    };
    const rowsOf = (log: LineFormat): LineRows | undefined =>
      rules && LineRows.of(log, { rule: session, rules, desk: this.#writer, give });
    const { reader, remarks } = readerOf(format, sink, session, rowsOf, { name: source.name, index });
    const pieces = source.pieces[Symbol.asyncIterator]();
    const spread = new SecondSpread((atMs, row) => this.#place(input, atMs, row));
    const input: OpenInput = { told, pieces, reader, spread, newestMs: Number.NEGATIVE_INFINITY, remarks };
    return input;
  }

  /** Always goes on with the input that is furthest behind. */
  async readAll(inputs: readonly OpenInput[]): Promise<void> {
    const open = new Set(inputs);
    try {
      while (open.size > 0) {
        const behind = [...open].reduce((one, other) => (other.newestMs < one.newestMs ? other : one));
        const { value, done } = await behind.pieces.next();
        if (done === true) {
          this.#end(behind);
          open.delete(behind);
        } else {
          behind.told.bytes += value.length;
          behind.reader.push(value);
        }
        if (open.size > 0) this.#writer.settle(Math.min(...[...open].map(({ newestMs }) => newestMs)));
      }
    } finally {
      for (const { pieces } of open) await pieces.return?.();
    }
  }

  finish(): ImportResult {
    const summary = this.#writer.close({
      malformed: this.#malformed.count,
      remarks: [...this.#remarks],
      spread: this.#spread,
      bodiesLeftOut: this.#bodiesLeftOut,
    });
    return { summary, inputs: this.#inputs, malformed: this.#malformed };
  }

  #request(input: OpenInput, request: Recorded, wholeSecond: boolean, endStamped: boolean): void {
    input.told.requests++;
    const lessMs = endStamped ? (request.tookMs ?? 0) : 0;
    const row = this.#writer.keep(this.#options.masker.mask(request));
    this.#placeRow(input, request.atMs, lessMs, wholeSecond, row);
  }

  #placeRow(input: OpenInput, atMs: number, lessMs: number, wholeSecond: boolean, row: number): void {
    if (wholeSecond) input.spread.add(atMs, lessMs, row);
    else this.#place(input, atMs - lessMs, row);
  }

  #place(input: OpenInput, atMs: number, row: number): void {
    if (atMs > input.newestMs) input.newestMs = atMs;
    this.#writer.place(atMs, row);
  }

  #end(input: OpenInput): void {
    input.reader.end();
    input.spread.finish();
    this.#spread += input.spread.spread;
    for (const remark of input.remarks()) this.#remarks.add(remark);
    const { name, requests, malformed } = input.told;
    if (requests > 0) return;
    const first = this.#malformed.shown.find(({ source }) => source === name);
    const why = first === undefined ? '' : `; number ${first.number}: ${first.reason}`;
    const message = `${name} holds no request: ${malformed} of ${malformed} are malformed${why}`;
    const hint = 'Check that the file is what --from and --format say, or leave them out to have the format detected.';
    throw new HarnessError('IMPORT_EMPTY', message, hint);
  }
}

function titleOf(format: SourceFormat): string {
  return format.is === 'log' ? format.format.title : format.is;
}

function readerOf(
  format: SourceFormat,
  sink: SourceSink,
  rule: SessionRule,
  rowsOf: (log: LineFormat) => LineRows | undefined,
  { name, index }: { name: string; index: number },
): { reader: SourceReader; remarks: () => string[] } {
  if (format.is !== 'log' && rule.by === 'field') {
    const hint = 'Give --session cookie:NAME or header:NAME.';
    throw new HarnessError('USAGE', `--session field:${rule.name} is for logs; ${name} is ${format.is}`, hint);
  }
  if (format.is === 'har') return { reader: new HarReader(sink, rule, name, index + 1), remarks: () => [] };
  if (format.is === 'gor') {
    const reader = new GorReader(sink, rule);
    return { reader, remarks: () => gorRemarks(reader) };
  }
  const reader = new LogReader(sink, format.format, rule, rowsOf(format.format));
  return { reader, remarks: () => logRemarks(format.format) };
}

function gorRemarks({ answersAlone, replayed }: GorReader): string[] {
  return [
    ...(answersAlone > 0 ? [`answers whose request is not in the file, left out: ${answersAlone}`] : []),
    ...(replayed > 0 ? [`answers to replayed requests, left out: ${replayed}`] : []),
  ];
}

/** What its times mean, where that is not what one would expect. */
function logRemarks({ from, stamped, parts }: LineFormat): string[] {
  const timed = parts.some((part) => typeof part !== 'string' && part.role.is === 'took');
  return [
    ...(stamped === 'end' && !timed
      ? ['the log tells when requests ended and not how long they took: they stand at their ends']
      : []),
    ...(from === 'haproxy' ? ['the log tells no time zone: its times were read as UTC'] : []),
  ];
}
