/**
 * How fast `seawall import` makes masked recordings of access logs and `seawall scan` looks through them, on this machine:
 * see README.md beside this.
 *
 *   npm run bench:import -- [--mb N] [--rounds N] [--only shop,distinct] [--out FOLDER]
 *
 * Ends with 0 when the target was met, 1 when it was missed.
 */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { cpus, tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { asHarnessError, HarnessError } from '../../harness/core/errors.ts';
import { LOGS, type LogFacts, type LogName, writeLog } from './import-logs.ts';
import { median } from './statistics.ts';

const ROOT = join(import.meta.dirname, '..', '..');
const CLI = join(ROOT, 'harness', 'cli.ts');
const USAGE = `npm run bench:import -- [options]
  --mb N         size of each log (250)
  --rounds N     runs of each command (3)
  --only LOGS    of ${LOGS.join(', ')} (all)
  --out FOLDER   where the JSON goes (reports/out/bench)`;
/** Of the log named shop, masked, user and system time of the whole process from its start to its end. */
const TARGET_MB_PER_CPU_SECOND = 50;
const TARGET_LOG: LogName = 'shop';
const TICKS_PER_SECOND = 100;
const LOOK_MS = 20;
const MB = 1e6;

/** One run of a command, from start to end. */
interface Run {
  cpuSeconds: number;
  wallSeconds: number;
  peakRssBytes: number;
}

interface Measured {
  log: LogFacts;
  imports: Run[];
  scans: Run[];
}

async function main(argv: readonly string[]): Promise<number> {
  const { bytes, rounds, logs, out } = optionsOf(argv);
  const folder = mkdtempSync(join(tmpdir(), 'seawall-bench-import-'));
  const startedAt = new Date().toISOString();
  const results: Measured[] = [];
  try {
    for (const name of logs) results.push(await measure(name, bytes, rounds, folder));
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
  const about = { format: 1, startedAt, machine: { cpu: cpus()[0]?.model, node: process.version }, results };
  mkdirSync(out, { recursive: true });
  const file = join(out, `import-${startedAt.replaceAll(/[:.]/g, '-')}.json`);
  writeFileSync(file, `${JSON.stringify(about, undefined, 2)}\n`);
  process.stdout.write(`Every run: ${file}\n`);
  const judged = results.find(({ log }) => log.name === TARGET_LOG);
  if (judged === undefined) return 0;
  const speed = speedOf(judged.log.bytes / MB, judged.imports);
  const verdict = speed >= TARGET_MB_PER_CPU_SECOND ? 'met' : 'missed';
  process.stdout.write(`${TARGET_MB_PER_CPU_SECOND} MB a CPU second of ${TARGET_LOG}, masked: ${verdict}\n`);
  return verdict === 'met' ? 0 : 1;
}

async function measure(name: LogName, bytes: number, rounds: number, folder: string): Promise<Measured> {
  const file = join(folder, `${name}.log`);
  const recording = join(folder, `${name}.swr`);
  const log = writeLog(file, name, bytes);
  const imports: Run[] = [];
  const scans: Run[] = [];
  for (let round = 0; round < rounds; round++) {
    imports.push(await run(['import', file, '-o', recording], [0]));
    // What the masker and the scanner think of the same digits may differ: findings end it with 1.
    scans.push(await run(['scan', recording], [0, 1]));
  }
  rmSync(file);
  const about = `${(log.bytes / MB).toFixed(0)} MB, ${log.lines} lines of ${Math.round(log.bytes / log.lines)} bytes, ${log.visitors} visitors, ${log.privateLines} with a private value`;
  process.stdout.write(`${name}: ${about}\n${rowOf('import', speedOf(log.bytes / MB, imports), 'MB', imports)}`);
  process.stdout.write(rowOf('scan', speedOf(log.lines / 1000, scans), 'thousand requests', scans));
  return { log, imports, scans };
}

const speedOf = (amount: number, runs: readonly Run[]): number => amount / median(runs.map((one) => one.cpuSeconds));

function rowOf(command: string, speed: number, unit: string, runs: readonly Run[]): string {
  const wall = median(runs.map((one) => one.wallSeconds)).toFixed(2);
  const cpu = runs.map((one) => one.cpuSeconds.toFixed(2)).join(' ');
  const rss = Math.max(...runs.map((one) => one.peakRssBytes)) / MB;
  return `  ${command.padEnd(7)} ${speed.toFixed(1)} ${unit} a CPU second (CPU ${cpu} s), wall ${wall} s, peak ${rss.toFixed(0)} MB\n`;
}

/** The real command, its start-up included. */
async function run(args: readonly string[], codes: readonly number[]): Promise<Run> {
  const before = childrenCpuSeconds();
  const startedMs = performance.now();
  const child = spawn(process.execPath, [CLI, ...args], { stdio: ['ignore', 'ignore', 'inherit'] });
  let peakRssBytes = 0;
  const look = setInterval(() => {
    peakRssBytes = Math.max(peakRssBytes, peakOf(child.pid!));
  }, LOOK_MS);
  const [code] = (await once(child, 'close')) as [number | null];
  clearInterval(look);
  if (code === null || !codes.includes(code)) throw new Error(`seawall ${args[0]} ended with code ${code}`);
  return {
    cpuSeconds: childrenCpuSeconds() - before,
    wallSeconds: (performance.now() - startedMs) / 1000,
    peakRssBytes,
  };
}

/** User and system time of all children that have ended, with their threads and children. */
function childrenCpuSeconds(): number {
  const stat = readFileSync('/proc/self/stat', 'utf8');
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  return (Number(fields[13]) + Number(fields[14])) / TICKS_PER_SECOND;
}

function peakOf(pid: number): number {
  try {
    return Number(/^VmHWM:\s+(\d+) kB/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1] ?? 0) * 1024;
  } catch {
    // It has just ended; what was seen before counts.
    return 0;
  }
}

function optionsOf(argv: readonly string[]) {
  const text = { type: 'string' } as const;
  const usage = (message: string): HarnessError => new HarnessError('USAGE', message, USAGE);
  if (process.platform !== 'linux') throw usage(`bench:import reads /proc, and this is ${process.platform}`);
  let values: Partial<Record<'mb' | 'rounds' | 'only' | 'out', string>>;
  try {
    ({ values } = parseArgs({ args: [...argv], options: { mb: text, rounds: text, only: text, out: text } }));
  } catch (thrown) {
    throw usage((thrown as Error).message);
  }
  const count = (name: 'mb' | 'rounds', usual: number): number => {
    const number = Number(values[name] ?? usual);
    if (Number.isInteger(number) && number >= 1) return number;
    throw usage(`--${name} takes a whole number from 1, not ${values[name]}`);
  };
  const only = values.only?.split(',') ?? [...LOGS];
  const unknown = only.filter((name) => !LOGS.some((log) => log === name));
  if (unknown.length > 0) throw usage(`--only does not know ${unknown.join(', ')}; there are: ${LOGS.join(', ')}`);
  return {
    bytes: count('mb', 250) * MB,
    rounds: count('rounds', 3),
    logs: LOGS.filter((log) => only.includes(log)),
    out: values.out ?? join(ROOT, 'reports', 'out', 'bench'),
  };
}

try {
  process.exitCode = await main(process.argv.slice(2));
} catch (thrown) {
  const { code, message, hint } = asHarnessError(thrown);
  process.stderr.write(`${code}: ${message}\n  → ${hint}\n`);
  process.exitCode = code === 'USAGE' ? 3 : 4;
}
