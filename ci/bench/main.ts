/**
 * Seawall's load generator against other load tools, on this machine, in one run: see README.md beside this.
 *
 *   npm run bench:load -- [--quick] [--only closed,open,truth,memory] [--rounds N] …
 *
 * Ends with 0 when every target was met, 1 when one was missed, 2 when one was not measured; `--quick` proves no figure
 * and ends with 0.
 */
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { asHarnessError, messageOf } from '../../harness/core/errors.ts';
import { type ClosedResult, runClosed } from './closed.ts';
import { type Cores, chooseCores, describeMachine, pin } from './cores.ts';
import { measureFloors } from './floors.ts';
import { type MemoryResult, runMemory } from './memory.ts';
import { type OpenResult, runOpen } from './open.ts';
import { type BenchOptions, type Part, parseOptions } from './options.ts';
import { type FoundPeer, findPeers, type MissingPeer } from './peers.ts';
import {
  printClosed,
  printFloors,
  printMachine,
  printMemory,
  printMissing,
  printOpen,
  printTargets,
  printTruth,
} from './print.ts';
import { Workshop } from './programs.ts';
import { Target } from './target.ts';
import { judgeTargets, type Results, type TargetVerdict } from './targets.ts';
import { runTruth, type TruthResult } from './truth.ts';

const FORMAT = 1;
const MEASURED_PARTS = ['closed', 'open', 'truth', 'memory'] as const;
type MeasuredPart = (typeof MEASURED_PARTS)[number];

interface Bench {
  options: BenchOptions;
  cores: Cores;
  peers: readonly FoundPeer[];
  workshop: Workshop;
  progress: (part: Part) => (line: string) => void;
}

async function main(argv: readonly string[]): Promise<number> {
  const options = parseOptions(argv);
  const cores = chooseCores();
  const machine = describeMachine(cores);
  // This program only waits while something is measured; it does so beside the server.
  await pin(process.pid, cores.server);
  const peers = wanted(options, findPeers());
  using workshop = new Workshop();
  process.stdout.write(`${printMachine(machine)}${printMissing(peers.missing)}`);
  const startedAt = new Date().toISOString();
  const progress = (part: Part) => (line: string) => void process.stderr.write(`  ${part} · ${line}\n`);
  const bench: Bench = { options, cores, peers: peers.found, workshop, progress };
  const floors = options.parts.has('floors') ? await measureFloors(workshop, cores) : undefined;
  if (floors !== undefined) process.stdout.write(printFloors(floors));
  const results = await runParts(bench);
  const targets = judgeTargets(results, peers.missing);
  process.stdout.write(printTargets(targets));
  const { parts, tools, ...asked } = options;
  const about = { format: FORMAT, startedAt, endedAt: new Date().toISOString(), machine };
  const chosen = { ...asked, parts: [...parts], tools: [...tools] };
  const versions = peers.found.map(({ name, version }) => ({ name, version }));
  keep(options.out, startedAt, {
    ...about,
    options: chosen,
    peers: versions,
    missing: peers.missing,
    floors,
    ...results,
    targets,
  });
  if (!options.quick) return exitCode(targets);
  process.stdout.write('\n--quick shows that the benchmark works; none of its figures mean anything.\n');
  return 0;
}

function wanted(
  { tools }: BenchOptions,
  { found, missing }: ReturnType<typeof findPeers>,
): { found: FoundPeer[]; missing: MissingPeer[] } {
  return {
    found: found.filter(({ name }) => tools.has(name)),
    missing: missing.filter(({ name }) => tools.has(name)),
  };
}

/** One part after the other; one that breaks is named and the others are measured all the same. */
async function runParts(bench: Bench): Promise<Results> {
  const { options, cores, workshop } = bench;
  const results: Results = { broken: [] };
  const works: Record<MeasuredPart, (target: Target) => Promise<void>> = {
    closed: async (target) => {
      results.closed = await measureClosed(bench, target);
      process.stdout.write(printClosed(results.closed));
    },
    open: async (target) => {
      results.open = await measureOpen(bench, target);
      process.stdout.write(printOpen(results.open));
    },
    truth: async () => {
      results.truth = await measureTruth(bench);
      process.stdout.write(printTruth(results.truth));
    },
    memory: async (target) => {
      results.memory = await measureMemory(bench, target);
      process.stdout.write(printMemory(results.memory));
    },
  };
  for (const part of MEASURED_PARTS) {
    const needsSeawall = part === 'open' || part === 'memory';
    if (!options.parts.has(part) || (needsSeawall && !options.tools.has('seawall'))) continue;
    try {
      await using target = await Target.start(workshop, cores.server);
      await works[part](target);
    } catch (thrown) {
      results.broken.push({ part, because: messageOf(thrown) });
      process.stdout.write(`\n${part} broke: ${messageOf(thrown)}\n`);
    }
  }
  return results;
}

function measureClosed({ options, cores, peers, progress }: Bench, target: Target): Promise<ClosedResult> {
  const { rounds, seconds, quick, tools } = options;
  const seawall = tools.has('seawall');
  return runClosed({ target, cores, peers, seawall, rounds, seconds, quick, progress: progress('closed') });
}

function measureOpen({ options, cores, workshop, progress }: Bench, target: Target): Promise<OpenResult> {
  const { openRates: rates, openSeconds: seconds, quick } = options;
  return runOpen({ target, cores, workshop, rates, seconds, quick, progress: progress('open') });
}

function measureTruth({ options, cores, peers, workshop, progress }: Bench): Promise<TruthResult> {
  const { truth: script, truthSeconds: seawallSeconds, tools } = options;
  const seawall = tools.has('seawall');
  return runTruth({ workshop, cores, script, seawallSeconds, seawall, peers, progress: progress('truth') });
}

function measureMemory({ options, cores, progress }: Bench, target: Target): Promise<MemoryResult> {
  return runMemory({ target, cores, requests: options.memoryRequests, progress: progress('memory') });
}

function keep(folder: string, startedAt: string, everything: object): void {
  mkdirSync(folder, { recursive: true });
  const file = join(folder, `load-${startedAt.replaceAll(/[:.]/g, '-')}.json`);
  writeFileSync(file, `${JSON.stringify(everything, undefined, 2)}\n`);
  process.stdout.write(`\nEvery round: ${file}\n`);
}

function exitCode(targets: readonly TargetVerdict[]): number {
  if (targets.some(({ verdict }) => verdict === 'missed')) return 1;
  return targets.some(({ verdict }) => verdict === 'not measured') ? 2 : 0;
}

// What was started is killed on exit, so an interrupt must be one.
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, () => process.exit(130));
try {
  process.exitCode = await main(process.argv.slice(2));
} catch (thrown) {
  const { code, message, hint } = asHarnessError(thrown);
  process.stderr.write(`${code}: ${message}\n  → ${hint}\n`);
  process.exitCode = code === 'USAGE' ? 3 : 4;
}
