import { styleText } from 'node:util';
import type { ClosedResult, ClosedRound } from './closed.ts';
import type { Machine } from './cores.ts';
import type { Floors } from './floors.ts';
import type { MemoryResult, Resident } from './memory.ts';
import type { CheckedLateness, OpenResult } from './open.ts';
import type { MissingPeer, ToolName } from './peers.ts';
import { median, type RatioSummary } from './statistics.ts';
import { ratioTo, type TargetVerdict } from './targets.ts';
import type { TruthResult, TruthRun } from './truth.ts';
import { PERCENTILES } from './truth-model.ts';

/** From this share of a core on, somebody else's work is worth a line. */
const DISTURBED = 0.05;
/** A tool that counts only what it got within its time may leave out this much. */
const MISCOUNT = 0.01;

/** Rows under a head, columns as wide as they need; the first one is flush left. */
export function table(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const widths = head.map((text, column) => Math.max(text.length, ...rows.map((row) => (row[column] ?? '').length)));
  const line = (row: readonly string[]): string =>
    row
      .map((text, column) => (column === 0 ? text.padEnd(widths[column]!) : text.padStart(widths[column]!)))
      .join('  ')
      .trimEnd();
  return [line(head), ...rows.map(line)].map((text) => `  ${text}\n`).join('');
}

export function printMachine({ cpu, cores, kernel, interruptsApart, node, pinnedTo }: Machine): string {
  const apart = interruptsApart
    ? 'this kernel accounts interrupts to no process: they are in no tool’s CPU time\n'
    : '';
  return `${cpu}, ${cores} cores, Linux ${kernel}, Node ${node}; tool on core ${pinnedTo.tool}, server on core ${pinnedTo.server}\n${apart}`;
}

export function printMissing(missing: readonly MissingPeer[]): string {
  return missing.map(({ name, get }) => `${name} is not here and is not measured; to get it: ${get}\n`).join('');
}

export function printFloors(floors: Floors): string {
  const facts = [
    ['timer of 1 ms, Node', `${floors.timerP50Ms.toFixed(2)} ms late (p50), ${floors.timerP99Ms.toFixed(2)} ms (p99)`],
    ['system call', `${floors.syscallNs.toFixed(0)} ns`],
    ['write to nowhere', `${floors.writeNullNs.toFixed(0)} ns from C, ${floors.nodeWriteNs.toFixed(0)} ns from Node`],
    ['loopback and back', `${floors.loopbackP50Us.toFixed(1)} µs (p50), ${floors.loopbackP99Us.toFixed(1)} µs (p99)`],
    ['steal', `${percent(floors.steal.tool)} of the tool’s core, ${percent(floors.steal.server)} of the server’s`],
  ];
  return `\nFloors of this machine\n${facts.map(([what, fact]) => `  ${what!.padEnd(22)}${fact}\n`).join('')}`;
}

export function printClosed(closed: ClosedResult): string {
  const names = [...new Set(closed.rounds.map(({ tool }) => tool))];
  const rows = names.map((name) => {
    const rounds = closed.rounds.filter(({ tool }) => tool === name);
    const of = (figure: (row: ClosedRound) => number): number[] => rounds.map(figure);
    return [
      name,
      spread(
        of((row) => row.cpuUsPerRequest),
        1,
      ),
      spread(of((row) => row.perSecond)),
      percent(median(of((row) => row.targetCpuShare))),
      percent(Math.max(...of((row) => row.disturbed))),
      ...(name === 'seawall' ? ['', ''] : [ratio(closed, name, 'cpu'), ratio(closed, name, 'throughput')]),
    ];
  });
  const head = ['', 'µs CPU a request', 'requests/s', 'server busy', 'disturbed', 'CPU ratio', 'throughput ratio'];
  const title = `\nClosed model, ${closed.connections} keep-alive connections (median, min–max; ratio: Seawall ÷ it, interval)\n`;
  const failures = closed.failures.map(
    ({ tool, round, because }) => `  not measured: ${tool}, round ${round}: ${because}\n`,
  );
  return `${title}${table(head, rows)}${generatorAlone(closed)}${disturbances(closed)}${miscounts(closed)}${failures.join('')}`;
}

function generatorAlone({ rounds }: ClosedResult): string {
  const alone = rounds.flatMap(({ generatorCpuUsPerRequest }) => generatorCpuUsPerRequest ?? []);
  if (alone.length === 0) return '';
  return `  Seawall’s figures hold its tool’s process, too; the generator alone: ${spread(alone, 1)} µs\n`;
}

/** Where a tool's own word about its whole run is not what the server counted, or holds errors. */
function miscounts({ rounds, connections }: ClosedResult): string {
  const lines = rounds.map(({ tool, round, whole }) => {
    const off = whole.tool === undefined ? 0 : Math.abs(whole.tool - whole.server);
    if (off <= MISCOUNT * whole.server + connections && whole.errors === 0) return '';
    const said = `${whole.tool?.toLocaleString('en-US')} requests and ${whole.errors} errors`;
    return `  ${tool}, round ${round}: says ${said}, the server counted ${whole.server.toLocaleString('en-US')}\n`;
  });
  return lines.join('');
}

function disturbances({ rounds }: ClosedResult): string {
  const disturbed = rounds.filter((row) => row.disturbed > DISTURBED || row.steal.server > DISTURBED);
  if (disturbed.length === 0) return '';
  const of = `${disturbed.length} of ${rounds.length} rounds`;
  return `  Not a quiet machine: in ${of} other programs or the hypervisor took more than ${percent(DISTURBED)} of a core\n`;
}

function ratio(closed: ClosedResult, peer: ToolName, measure: 'cpu' | 'throughput'): string {
  const summary: RatioSummary | undefined = ratioTo(closed, peer, measure);
  if (summary === undefined) return '–';
  return `${summary.median.toFixed(2)}× (${summary.low.toFixed(2)}–${summary.high.toFixed(2)})`;
}

export function printOpen({ runs, checked, unchecked }: OpenResult): string {
  const rows = runs.map(({ perSecond, pacer, sentRatio, lateness, generatorCpuShare, fromIntendedP99Ms, ...run }) => [
    `${perSecond.toLocaleString('en-US')}/s, ${pacer}`,
    `${(sentRatio * 100).toFixed(3)} %`,
    `${lateness.medianP99Ms.toFixed(2)} ms`,
    `${lateness.worstP99Ms.toFixed(2)} ms`,
    `${fromIntendedP99Ms.toFixed(2)} ms`,
    percent(generatorCpuShare),
    percent(run.toolCpuShare),
    percent(run.window.steal.tool),
  ]);
  const head = ['', 'sent', 'late p99', 'worst second', 'answered p99', 'generator', 'tool', 'steal'];
  const fromOutside = checked === undefined ? `not checked: ${unchecked}` : seenFromOutside(checked);
  return `\nOpen model, one core\n${table(head, rows)}  Lateness from outside: ${fromOutside}\n`;
}

function seenFromOutside({
  perSecond,
  saidMedianP99Ms,
  saidWorstP99Ms,
  seenP50Ms,
  seenP99Ms,
}: CheckedLateness): string {
  const said = `the generator says p99 ${saidMedianP99Ms.toFixed(2)} ms (worst second ${saidWorstP99Ms.toFixed(2)} ms)`;
  const seen = `the server saw ${seenP50Ms.toFixed(2)} ms (p50) and ${seenP99Ms.toFixed(2)} ms (p99), the way there included`;
  return `at ${perSecond.toLocaleString('en-US')}/s ${said}; ${seen}`;
}

export function printTruth({ script, runs, failures }: TruthResult): string {
  const [first] = runs;
  const stalls = script.stalls.map(({ forMs }) => `${forMs / 1000} s`).join(', ');
  const title = `\nTruth: ${script.perSecond}/s offered, the server stops for ${stalls}; ms from the intended start (* off by more than 2 % and 2 ms)\n`;
  const lost = failures.map(({ name, because }) => `  not measured: ${name}: ${because}\n`).join('');
  if (first === undefined) return `${title}${lost}`;
  const rows = runs.flatMap((run) =>
    run.name.startsWith('seawall') ? [truthRow(run), reportedRow(run)] : [reportedRow(run)],
  );
  const head = ['', ...PERCENTILES.map((percentile) => `p${percentile}`), 'requests', 'dropped'];
  return `${title}${table(head, rows)}${runs.map(serverLine).join('')}${lost}`;
}

function truthRow(run: TruthRun): string[] {
  return [
    `truth of ${run.name}`,
    ...run.percentiles.map(({ trueMs, beyond }) => (beyond < 1 ? '–' : trueMs.toFixed(1))),
  ];
}

function reportedRow({ name, percentiles, requests, dropped }: TruthRun): string[] {
  const cells = percentiles.map(({ reportedMs, holds, beyond }) => {
    if (reportedMs === undefined || beyond < 1) return '–';
    return `${reportedMs.toFixed(1)}${holds === undefined ? '?' : holds ? '' : '*'}`;
  });
  return [name, ...cells, String(requests), String(dropped)];
}

function serverLine({ name, connectionsPeak, stallOffMs, modelOffMs, errors }: TruthRun): string {
  const off = Object.entries(modelOffMs ?? {}).map(([percentile, ms]) => `p${percentile} ${ms.toFixed(1)}`);
  const model = off.length === 0 ? '' : `; the model is off the server’s log by ms: ${off.join(', ')}`;
  const bad = errors === 0 ? '' : `, ${errors} errors`;
  return `  ${name}: ${connectionsPeak} connections at most, stalls within ${stallOffMs.toFixed(2)} ms of the script${model}${bad}\n`;
}

export function printMemory({ requests, seconds, generator, tool }: MemoryResult): string {
  const mb = (bytes: number): string => `${(bytes / 1e6).toFixed(0)} MB`;
  const row = (name: string, resident: Resident): string[] => [
    name,
    mb(resident.startBytes),
    mb(resident.maxBytes),
    mb(resident.endBytes),
    `${resident.growth.toFixed(3)}×`,
  ];
  const title = `\nMemory over ${requests.toLocaleString('en-US')} requests in ${seconds.toFixed(0)} s\n`;
  return `${title}${table(['', 'start', 'most', 'end', 'growth'], [row('generator', generator), row('tool', tool)])}`;
}

export function printTargets(verdicts: readonly TargetVerdict[]): string {
  const lines = verdicts.map(({ target, verdict, measured, close }) => {
    const colour = { met: 'green', missed: 'red', 'not measured': 'yellow' } as const;
    const near = close ? '; close: the interval spans the target' : '';
    return `  ${styleText(colour[verdict], verdict.padEnd(12))} ${target}: ${measured}${near}\n`;
  });
  return `\nTargets\n${lines.join('')}`;
}

function spread(values: readonly number[], digits = 0): string {
  const format = (value: number): string =>
    value.toLocaleString('en-US', { minimumFractionDigits: digits, maximumFractionDigits: digits });
  return `${format(median(values))} (${format(Math.min(...values))}–${format(Math.max(...values))})`;
}

const percent = (share: number): string => `${(share * 100).toFixed(share < 0.1 ? 1 : 0)} %`;
