import { rmSync } from 'node:fs';
import { HarnessError } from '../core/errors.ts';
import { formatCount } from '../core/units.ts';
import { type ImportResult, importRecording } from '../load/recording/import-recording.ts';
import { partOf } from '../load/recording/part-file.ts';
import { parseSessionRule } from '../load/recording/session-rule.ts';
import { SOURCES, type SourceName } from '../load/recording/source-format.ts';
import { EXIT } from './exit.ts';
import { describeNotes, formatBytes, formatSpan, shares, table } from './inspect.ts';
import { type MaskCommandOptions, maskerOf } from './mask-options.ts';

export interface ImportCommandOptions extends MaskCommandOptions {
  out: string;
  from?: string;
  format?: string;
  session: string;
  json?: boolean;
}

/** `seawall import IN… -o OUT.swr`: makes a masked recording of what was recorded elsewhere. */
export async function importCommand(inputs: string[], options: ImportCommandOptions): Promise<number> {
  if (inputs.filter((input) => input === '-').length > 1) {
    throw new HarnessError('USAGE', 'stdin is given twice', 'Give - once.');
  }
  const masker = maskerOf(options);
  for (const signal of ['SIGINT', 'SIGTERM'] as const) {
    process.once(signal, () => {
      rmSync(partOf(options.out), { force: true });
      process.exit(EXIT.interrupted);
    });
  }
  const result = await importRecording(inputs, options.out, {
    masker,
    from: sourceName(options.from),
    format: options.format,
    session: parseSessionRule(options.session),
  });
  const masked = Object.fromEntries(masker.counts);
  if (options.json === true) process.stdout.write(`${JSON.stringify(jsonOf(result, masked), null, 2)}\n`);
  else process.stdout.write(describe(options.out, result, masked));
  return EXIT.pass;
}

function sourceName(from: string | undefined): SourceName | undefined {
  if (from === undefined) return undefined;
  const known = SOURCES.find((name) => name === from);
  if (known !== undefined) return known;
  throw new HarnessError('USAGE', `--from ${from} is no known source`, `Known: ${SOURCES.join(', ')}`);
}

function jsonOf({ summary, inputs, malformed }: ImportResult, masked: Record<string, number>) {
  return {
    ...summary,
    inputs,
    masked,
    malformedReasons: Object.fromEntries(malformed.reasons),
    malformedShown: malformed.shown,
  };
}

function describe(out: string, { summary, inputs, malformed }: ImportResult, masked: Record<string, number>): string {
  const { requests, sessions, sessionsEstimated, withoutSession, firstMs, lastMs } = summary;
  const some = withoutSession === 0 ? '' : `; ${formatCount(withoutSession)} requests without one`;
  const values = Object.entries(masked).map(([name, count]) => `${name} ${formatCount(count)}`);
  const lines: [string, string][] = [
    ...inputs.map(({ name, format, bytes, requests: count }): [string, string] => [
      'from',
      `${name}: ${format}, ${formatBytes(bytes)}, ${formatCount(count)} requests`,
    ]),
    ['time', formatSpan(firstMs, lastMs)],
    [
      'requests',
      `${formatCount(requests)}: ${shares(summary.methods, requests)}; ${shares(summary.statuses, requests)}`,
    ],
    ['sessions', `${sessionsEstimated ? 'about ' : ''}${formatCount(sessions)}${some}`],
    ['masked', values.length === 0 ? 'nothing private was found' : values.join(', ')],
    ...describeNotes(summary).map((note, at): [string, string] => [at === 0 ? 'import' : '', note]),
  ];
  return `${out} holds ${formatCount(requests)} requests\n${table(lines)}${describeMalformed(malformed)}`;
}

/** Each reason with its count, then the first of them as they stand. */
function describeMalformed({ count, reasons, shown }: ImportResult['malformed']): string {
  if (count === 0) return '';
  const why = [...reasons].map(([reason, times]) => `  ${formatCount(times)} × ${reason}\n`).join('');
  const first = shown
    .map(({ source, number, reason, text }) => `  ${source}:${number}: ${reason}\n    ${text}\n`)
    .join('');
  return `malformed, and left out:\n${why}the first ${shown.length}:\n${first}`;
}
