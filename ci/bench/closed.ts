import { setTimeout as sleep } from 'node:timers/promises';
import { messageOf } from '../../harness/core/errors.ts';
import { type Cores, pinned } from './cores.ts';
import { measureWindow, type WindowFigures } from './gauge.ts';
import { parsePeer } from './peer-output.ts';
import { CONNECTIONS, type FoundPeer, type ToolName } from './peers.ts';
import { Program } from './programs.ts';
import { SeawallLoad } from './seawall.ts';
import type { LoadOrder } from './seawall-messages.ts';
import type { Target } from './target.ts';

/** Long enough for Node's and k6's machine code to be made; nothing of it is in a window. */
const WARM_MS = 2000;
const QUICK_WARM_MS = 700;
/** A run outlasts its window by this much. */
const MARGIN_SECONDS = 1;
const CONNECT_MS = 20_000;
/** Go's client may dial for a request that then takes another connection: some of hey's stay idle, most on a busy machine. */
const SPARE_CONNECTIONS = CONNECTIONS;
const END_MS = 30_000;
/** The server was so busy, and the tool so idle, that the figure is the server's. */
const BOUND_SERVER = 0.97;
const BOUND_TOOL = 0.93;

export interface ClosedRound extends WindowFigures {
  tool: ToolName;
  round: number;
  startedAt: string;
  /** Of Seawall: the generator's part alone, without the tool's own process. */
  generatorCpuUsPerRequest?: number;
  /** The server was at its limit and the tool was not: its throughput is not the tool's. */
  targetBound: boolean;
  /** The whole run as the tool tells it and as the server counted it. */
  whole: { tool: number | undefined; server: number; errors: number };
}

export interface ToolFailure {
  tool: ToolName;
  round: number;
  because: string;
}

export interface ClosedResult {
  connections: number;
  rounds: ClosedRound[];
  failures: ToolFailure[];
}

/** All tools in turn, round after round, each round from another tool on, so that drift spares nobody. */
export async function runClosed(options: {
  target: Target;
  cores: Cores;
  peers: readonly FoundPeer[];
  seawall: boolean;
  rounds: number;
  seconds: number;
  quick: boolean;
  progress: (line: string) => void;
}): Promise<ClosedResult> {
  const { target, cores, peers, rounds, seconds, quick, progress } = options;
  const bench = { target, cores, seconds, warmMs: quick ? QUICK_WARM_MS : WARM_MS };
  const tools: { name: ToolName; measure: () => Promise<Measured> }[] = [
    ...(options.seawall ? [{ name: 'seawall' as const, measure: () => measureSeawall(bench) }] : []),
    ...peers.map((peer) => ({ name: peer.name, measure: () => measurePeer(peer, bench) })),
  ];
  const result: ClosedResult = { connections: CONNECTIONS, rounds: [], failures: [] };
  for (let round = 1; round <= rounds; round++) {
    const turn = tools.map((_, index) => tools[(index + round - 1) % tools.length]!);
    for (const { name, measure } of turn) {
      const startedAt = new Date().toISOString();
      try {
        const measured = await measure();
        result.rounds.push({ tool: name, round, startedAt, targetBound: isTargetBound(measured), ...measured });
        progress(`round ${round} of ${rounds} · ${name} · ${describe(measured)}`);
      } catch (thrown) {
        result.failures.push({ tool: name, round, because: messageOf(thrown) });
        progress(`round ${round} of ${rounds} · ${name} · NOT MEASURED: ${messageOf(thrown)}`);
      }
      await target.deserted(END_MS);
    }
  }
  return result;
}

type Measured = WindowFigures & Pick<ClosedRound, 'generatorCpuUsPerRequest' | 'whole'>;

interface Bench {
  target: Target;
  cores: Cores;
  seconds: number;
  warmMs: number;
}

async function measurePeer(peer: FoundPeer, bench: Bench): Promise<Measured> {
  const { target, cores, seconds, warmMs } = bench;
  const lasts = Math.ceil(warmMs / 1000) + seconds + MARGIN_SECONDS;
  const before = target.counts().requests;
  const { command, env, input } = peer.closed(target.url, lasts);
  const program = new Program(pinned(cores.tool, command), { ...process.env, ...env });
  try {
    if (input !== undefined) program.tell(input.trimEnd());
    program.closeInput();
    await target.reached(CONNECTIONS, before, CONNECT_MS, program);
    await sleep(warmMs);
    const figures = await measureWindow(program.pid, target, cores, seconds);
    if (program.over) throw program.failure('ended within its window');
    mustHold(figures);
    const how = await program.ended(END_MS);
    if (how !== 'code 0') throw program.failure(`ended with ${how}`);
    const said = parsePeer(peer.name, program.stdout);
    const server = target.counts().requests - before;
    return { ...figures, whole: { tool: said?.requests, server, errors: said?.errors ?? 0 } };
  } finally {
    program.kill('SIGKILL');
  }
}

async function measureSeawall({ target, cores, seconds, warmMs }: Bench): Promise<Measured> {
  const before = target.counts().requests;
  const order = closedOrder(target.url, (warmMs / 1000 + seconds + 30) * 1000);
  await using load = await SeawallLoad.start(order, cores.tool);
  await target.reached(CONNECTIONS, before, CONNECT_MS, load.program);
  await sleep(warmMs);
  const figures = await measureWindow(load.toolPid, target, cores, seconds);
  mustHold(figures);
  load.stop();
  const { sent, bad } = await load.done(END_MS);
  const server = target.counts().requests - before;
  const errors = Object.values(bad).reduce((sum, count) => sum + count, 0);
  const ofTool = figures.cpuSecondsByPid[load.toolPid] ?? 0;
  return {
    ...figures,
    generatorCpuUsPerRequest: ((figures.cpuSeconds - ofTool) * 1e6) / figures.requests,
    whole: { tool: sent, server, errors },
  };
}

/** Seawall with 64 users, each one connection, the tag and both histograms and windows by journey on. */
export function closedOrder(url: string, forMs: number): LoadOrder {
  return {
    url,
    model: { kind: 'closed', users: CONNECTIONS },
    warmUpMs: 0,
    forMs,
    withinMs: 1000,
    inFlightMax: CONNECTIONS,
    numbered: false,
  };
}

/** A window that shows something else than 64 connections at work is no round. */
function mustHold({ connections, requests }: WindowFigures): void {
  const spare = connections - CONNECTIONS;
  if (spare < 0 || spare > SPARE_CONNECTIONS) {
    throw new Error(`${connections} connections were open, not ${CONNECTIONS}`);
  }
  if (requests === 0) throw new Error('the server saw no request in the window');
}

function isTargetBound({ targetCpuShare, cpuShare }: WindowFigures): boolean {
  return targetCpuShare >= BOUND_SERVER && cpuShare <= BOUND_TOOL;
}

function describe({ cpuUsPerRequest, perSecond, cpuShare, targetCpuShare }: WindowFigures): string {
  const share = (value: number): string => `${Math.round(value * 100)} %`;
  const figures = `${cpuUsPerRequest.toFixed(1)} µs CPU a request, ${Math.round(perSecond).toLocaleString('en-US')}/s`;
  return `${figures} (tool ${share(cpuShare)} of its core, server ${share(targetCpuShare)})`;
}
