import { basename } from 'node:path';
import { HarnessError } from '../core/errors.ts';
import { formatCount, formatDuration, formatPercent } from '../core/units.ts';
import { type Inspection, inspectRecording } from '../load/recording/inspect-recording.ts';
import { sparkline } from '../load/recording/rate-columns.ts';
import { openRecording, type Recording } from '../load/recording/recording-reader.ts';
import { salvageRecording } from '../load/recording/salvage-recording.ts';
import { EXIT } from './exit.ts';

/** `seawall inspect FILE`: what a recording holds; of one that was cut off, what is left of it. */
export async function inspectCommand(file: string, options: { json?: boolean; salvage?: string }): Promise<number> {
  await using recording = await openRecording(file, { salvage: true });
  if (options.salvage !== undefined) return await salvage(recording, options.salvage);
  const inspection = await inspectRecording(recording);
  if (options.json === true)
    process.stdout.write(`${JSON.stringify({ file: basename(file), ...inspection }, null, 2)}\n`);
  else process.stdout.write(describeInspection(file, inspection));
  return EXIT.pass;
}

async function salvage(recording: Recording, out: string): Promise<number> {
  if (recording.lost === undefined) {
    throw new HarnessError('USAGE', `${recording.path} is whole`, 'Leave --salvage out: there is nothing to save.');
  }
  const { requests } = await salvageRecording(recording, out);
  process.stdout.write(`${out} holds the ${formatCount(requests)} requests that were left\n`);
  return EXIT.pass;
}

function describeInspection(file: string, inspection: Inspection): string {
  const { version, origin, bytes, lostBytes } = inspection;
  const lines: [string, string][] = [
    ['from', `${origin.format} (${origin.inputs.join(', ')}); sessions by ${origin.session}`],
    ...(inspection.requests === 0 ? [] : contents(inspection)),
  ];
  const cut =
    lostBytes === undefined
      ? ''
      : `CUT OFF: the last ${formatCount(lostBytes)} bytes are lost; ${formatCount(inspection.requests)} requests before them can be read\n`;
  const head = `${basename(file)}: recording of version ${version}, ${formatBytes(bytes)}\n`;
  return `${head}${cut}${table(lines)}${rankings(inspection)}`;
}

function contents(inspection: Inspection): [string, string][] {
  const { requests, firstMs, lastMs, rate, sessions, bodies, imported } = inspection;
  const highest = Math.max(...rate.curve.rates);
  const column = formatDuration(rate.curve.columnMs);
  return [
    ['time', formatSpan(firstMs, lastMs)],
    ['requests', `${formatCount(requests)}: ${shares(inspection.methods, requests)}`],
    ['answers', shares(inspection.statuses, requests)],
    ['sessions', describeSessions(sessions)],
    [
      'rate',
      `mean ${perSecond(rate.meanPerSecond)}; most ${formatCount(rate.peak.requests)} in the second of ${clock(rate.peak.atMs)}`,
    ],
    ['', `${sparkline(rate.curve.rates)}  ${column} a column, highest ${perSecond(highest)}`],
    [
      'bodies',
      `${formatCount(bodies.requests)} of requests (${formatBytes(bodies.bytes)}), ${formatCount(bodies.answers)} of answers`,
    ],
    ...(imported === undefined
      ? []
      : describeNotes(imported).map((note, at): [string, string] => [at === 0 ? 'import' : '', note])),
  ];
}

/** What was met on the way in, a sentence each. */
export function describeNotes(notes: NonNullable<Inspection['imported']>): string[] {
  const { malformed, late, lateByMs, spread, bodiesLeftOut, remarks, reorder } = notes;
  const window = `${formatDuration(reorder.windowMs)} or ${formatCount(reorder.windowRequests)} requests`;
  return [
    `${formatCount(malformed)} malformed`,
    ...(late > 0
      ? [
          `${formatCount(late)} came later than the reorder window (${window}) and stand up to ${formatDuration(lateByMs)} too late`,
        ]
      : []),
    ...(spread > 0 ? [`${formatCount(spread)} had whole seconds only and were spread evenly over them`] : []),
    ...(bodiesLeftOut > 0 ? [`${formatCount(bodiesLeftOut)} bodies were left out: no text, or too large`] : []),
    ...remarks,
  ];
}

export function formatSpan(firstMs: number, lastMs: number): string {
  const day = new Date(firstMs).toISOString().slice(0, 10);
  return `${day} ${clock(firstMs)} to ${clock(lastMs)} UTC (${formatDuration(lastMs - firstMs)})`;
}

export function shares(counts: Record<string, number>, all: number): string {
  const sorted = Object.entries(counts).sort(([, a], [, b]) => b - a);
  return sorted.map(([name, count]) => `${name} ${formatPercent(count / all, 2)}`).join(', ');
}

function describeSessions({ count, estimated, without, requests, lengthMs }: Inspection['sessions']): string {
  const number = `${estimated ? 'about ' : ''}${formatCount(count)}`;
  const each = `requests each: p50 ${formatCount(requests.p50)}, p99 ${formatCount(requests.p99)}, most ${formatCount(requests.most)}`;
  const lasting = `lasting p50 ${formatDuration(lengthMs.p50)}, p99 ${formatDuration(lengthMs.p99)}`;
  return `${number}; ${each}; ${lasting}${without === 0 ? '' : `; ${formatCount(without)} requests without one`}`;
}

function rankings({ mix, topPaths, uncounted, requests }: Inspection): string {
  if (requests === 0) return '';
  const share = (count: number): string => formatPercent(count / requests, 2).padStart(7);
  const of = (rows: readonly string[], left: number): string =>
    `${rows.map((row) => `  ${row}\n`).join('')}${left === 0 ? '' : `  ${share(left)}  too many and too rare to be counted apart\n`}`;
  const mixed = mix.map(({ method, path, requests: count }) => `${share(count)}  ${method.padEnd(7)} ${path}`);
  const paths = topPaths.map(({ path, requests: count }) => `${share(count)}  ${path}`);
  return `\nmix\n${of(mixed, uncounted.mix)}\ntop paths\n${of(paths, uncounted.topPaths)}`;
}

export function table(lines: readonly [string, string][]): string {
  return lines.map(([name, text]) => `  ${name.padEnd(9)} ${text}\n`).join('');
}

function clock(ms: number): string {
  return new Date(ms).toISOString().slice(11, 23);
}

export function formatBytes(bytes: number): string {
  if (bytes >= 1e9) return `${(bytes / 1e9).toFixed(2)} GB`;
  if (bytes >= 1e6) return `${(bytes / 1e6).toFixed(1)} MB`;
  return bytes >= 1e3 ? `${(bytes / 1e3).toFixed(1)} KB` : `${bytes} B`;
}

function perSecond(rate: number): string {
  return `${formatCount(Number(rate.toPrecision(4)))}/s`;
}
