import { messageOf } from '../../harness/core/errors.ts';
import { Histogram } from '../../harness/core/histogram.ts';
import { type Cores, pinned } from './cores.ts';
import { parsePeer } from './peer-output.ts';
import { CONNECTIONS, type FoundPeer, type Invocation, type PeerName } from './peers.ts';
import { Program, type Workshop } from './programs.ts';
import { SeawallLoad } from './seawall.ts';
import {
  type Compared,
  comparePercentiles,
  loggedTruth,
  modelledTruth,
  type RealStall,
  type TruthScript,
} from './truth-model.ts';
import { type ServerLog, TruthServer } from './truth-server.ts';

/** Whoever answers later than this after the longest stall is not a slow answer any more. */
const PATIENCE_MS = 10_000;
const IN_FLIGHT_MAX = 20_000;
/** k6 makes thousands of virtual users before it begins. */
const END_MS = 120_000;

export interface TruthRun {
  /** Tool and how it was told to send. */
  name: string;
  seconds: number;
  requests: number;
  errors: number;
  dropped: number;
  connectionsPeak: number;
  stalls: RealStall[];
  /** Most that a real stall was longer or shorter than scripted. */
  stallOffMs: number;
  /** By percentile, how far the modelled truth is off what the server logged; only with numbered starts. */
  modelOffMs?: Record<string, number>;
  percentiles: Compared[];
}

export interface TruthResult {
  script: TruthScript;
  runs: TruthRun[];
  failures: { name: string; because: string }[];
}

/** Each tool against a fresh server with the same script. */
export async function runTruth(options: {
  workshop: Workshop;
  cores: Cores;
  script: TruthScript;
  seawallSeconds: number;
  seawall: boolean;
  peers: readonly FoundPeer[];
  progress: (line: string) => void;
}): Promise<TruthResult> {
  const { workshop, cores, script, seawallSeconds, peers, progress } = options;
  const bench = { workshop, cores };
  const result: TruthResult = { script, runs: [], failures: [] };
  // First, for its numbered starts tell how far off the model is, which is all there is for the others.
  const ours = { name: 'seawall', measure: () => measureSeawall({ ...script, seconds: seawallSeconds }, bench) };
  const unsureMs = (percentile: number): number => result.runs[0]?.modelOffMs?.[String(percentile)] ?? 0;
  const theirs = peerWays(script, peers).map((way) => ({
    name: way.name,
    measure: () => measurePeer(way, script, bench, unsureMs),
  }));
  const works = options.seawall ? [ours, ...theirs] : theirs;
  for (const { name, measure } of works) {
    try {
      const run = await measure();
      result.runs.push(run);
      const judged = run.percentiles.filter(({ holds }) => holds !== undefined);
      progress(`${name} · ${judged.filter(({ holds }) => holds).length} of ${judged.length} percentiles are true`);
    } catch (thrown) {
      result.failures.push({ name, because: messageOf(thrown) });
      progress(`${name} · NOT MEASURED: ${messageOf(thrown)}`);
    }
  }
  return result;
}

interface Bench {
  workshop: Workshop;
  cores: Cores;
}

async function measureSeawall(script: TruthScript, { workshop, cores }: Bench): Promise<TruthRun> {
  await using server = await TruthServer.start(workshop, script, cores.server);
  const longest = Math.max(...script.stalls.map(({ forMs }) => forMs));
  const order = {
    url: server.url,
    model: { kind: 'open' as const, perSecond: script.perSecond },
    warmUpMs: 0,
    forMs: script.seconds * 1000,
    withinMs: longest + PATIENCE_MS,
    inFlightMax: IN_FLIGHT_MAX,
    numbered: true,
  };
  await using load = await SeawallLoad.start(order, cores.tool);
  const result = await load.done(script.seconds * 1000 + longest + END_MS);
  const log = await server.log();
  const truth = loggedTruth(log.served, script, result.originMs);
  const model = modelledTruth(script, log.stalls, result.originMs);
  const reported = Histogram.decode(result.fromIntended);
  const percentiles = comparePercentiles(truth, (percentile) => reported.quantile(percentile / 100) / 1000);
  const modelOffMs = Object.fromEntries(
    comparePercentiles(model, () => undefined).map(({ percentile, trueMs }, index) => [
      String(percentile),
      Math.abs(trueMs - percentiles[index]!.trueMs),
    ]),
  );
  const bad = Object.values(result.bad).reduce((sum, count) => sum + count, 0);
  const counts = { requests: result.sent, errors: bad, dropped: result.droppedCap + result.droppedLate };
  const { seconds } = script;
  return { name: 'seawall', seconds, ...counts, ...serverSide(log), modelOffMs, percentiles };
}

/** One way to have a peer send. */
interface Way {
  name: string;
  peer: PeerName;
  invoke(url: string): Invocation;
}

/** How each peer is told to send at that rate; wrk knows no rate and sends as fast as its connections allow. */
function peerWays(script: TruthScript, peers: readonly FoundPeer[]): Way[] {
  const { perSecond, seconds, stalls } = script;
  const longestMs = Math.max(...stalls.map(({ forMs }) => forMs));
  // What an open model needs to have in flight in the longest stall, and a fifth more.
  const enough = Math.ceil((perSecond * longestMs * 1.2) / 1000);
  return peers.flatMap((peer): Way[] => {
    const way = (how: string, invoke: Way['invoke']): Way => ({
      name: `${peer.name}, ${how}`,
      peer: peer.name,
      invoke,
    });
    switch (peer.name) {
      case 'wrk':
        return [way('closed', (url) => peer.closed(url, seconds))];
      case 'k6':
        return [CONNECTIONS, enough].map((users) => way(`${users} VUs`, (url) => k6Open(peer, url, script, users)));
      case 'autocannon': {
        const rate = ['-R', String(perSecond), '--timeout', String(Math.ceil((longestMs + PATIENCE_MS) / 1000))];
        const told = (url: string, more: string[]): Invocation => {
          const { command } = peer.closed(url, seconds);
          return { command: [...command.slice(0, -1), ...rate, ...more, url] };
        };
        return [
          way('-R', (url) => told(url, [])),
          way('-R, uncorrected', (url) => told(url, ['--ignoreCoordinatedOmission'])),
        ];
      }
      default:
        return [];
    }
  });
}

function k6Open(peer: FoundPeer, url: string, { perSecond, seconds }: TruthScript, users: number): Invocation {
  const { command, env } = peer.closed(url, seconds);
  return { command, env: { ...env, BENCH_RATE: String(perSecond), BENCH_USERS: String(users) } };
}

async function measurePeer(
  way: Way,
  script: TruthScript,
  { workshop, cores }: Bench,
  unsureMs: (percentile: number) => number,
): Promise<TruthRun> {
  await using server = await TruthServer.start(workshop, script, cores.server);
  const { command, env } = way.invoke(server.url);
  const program = new Program(pinned(cores.tool, command), { ...process.env, ...env });
  try {
    program.closeInput();
    const how = await program.ended(script.seconds * 1000 + END_MS);
    if (how !== 'code 0') throw program.failure(`ended with ${how}`);
  } finally {
    program.kill('SIGKILL');
  }
  const said = parsePeer(way.peer, program.stdout);
  if (said === undefined) throw program.failure('told no percentiles');
  const log = await server.log();
  const firstMs = log.served.reduce((least, { arrivedMs }) => Math.min(least, arrivedMs), Number.POSITIVE_INFINITY);
  const truth = modelledTruth(script, log.stalls, firstMs);
  return {
    name: way.name,
    seconds: script.seconds,
    requests: said.requests,
    errors: said.errors,
    dropped: said.dropped ?? 0,
    ...serverSide(log),
    percentiles: comparePercentiles(truth, (percentile) => said.percentilesMs[String(percentile)], unsureMs),
  };
}

function serverSide({
  connectionsPeak,
  stalls,
}: ServerLog): Pick<TruthRun, 'connectionsPeak' | 'stalls' | 'stallOffMs'> {
  const off = stalls.map(({ plannedForMs, beganMs, endedMs }) => Math.abs(endedMs - beganMs - plannedForMs));
  return { connectionsPeak, stalls, stallOffMs: Math.max(0, ...off) };
}
