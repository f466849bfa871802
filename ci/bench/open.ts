import { setTimeout as sleep } from 'node:timers/promises';
import { messageOf } from '../../harness/core/errors.ts';
import { Histogram } from '../../harness/core/histogram.ts';
import type { LoadHealth } from '../../harness/spi/load.ts';
import type { Cores } from './cores.ts';
import { measureWindow, type WindowFigures } from './gauge.ts';
import type { Workshop } from './programs.ts';
import { SeawallLoad } from './seawall.ts';
import type { LoadOrder, LoadResult } from './seawall-messages.ts';
import { median, quantileOf } from './statistics.ts';
import type { Target } from './target.ts';
import { arrivalLateness } from './truth-model.ts';
import { TruthServer } from './truth-server.ts';

const WARM_MS = 3000;
const QUICK_WARM_MS = 1000;
const CONNECT_MS = 20_000;
const END_MS = 30_000;
const WITHIN_MS = 1000;
/** More than a tenth of a second of the highest rate: who needs more does not keep up. */
export const IN_FLIGHT_MAX = 4000;
const LATENESS_TARGET_MS = 3;
/** The rate of the run in which the server's clock checks the generator's own word. */
const CHECKED_RATE = 10_000;

const PACERS = ['timer', 'spin'] as const;

export interface OpenRun {
  perSecond: number;
  /** Which pacer was asked for. */
  asked: (typeof PACERS)[number];
  seconds: number;
  /** From t = 0 on. */
  scheduled: number;
  sent: number;
  sentRatio: number;
  good: number;
  bad: Record<string, number>;
  droppedCap: number;
  droppedLate: number;
  /** Of the windows (one second, one journey), each with its own p99. */
  lateness: { windows: number; medianP99Ms: number; worstP99Ms: number; windowsOver3Ms: number };
  fromIntendedP99Ms: number;
  serviceP99Ms: number;
  /** As the generator says; what says nothing is `not said`. */
  pacer: string;
  eventLoopP99Ms: number;
  generatorCpuShare: number;
  toolCpuShare: number;
  window: WindowFigures;
}

/** The generator's word about its lateness beside the arrivals that the server saw. */
export interface CheckedLateness {
  perSecond: number;
  saidWorstP99Ms: number;
  saidMedianP99Ms: number;
  /** Arrival minus intended start: the way there and the server's own waking included. */
  seenP50Ms: number;
  seenP99Ms: number;
  requests: number;
}

export interface OpenResult {
  runs: OpenRun[];
  checked?: CheckedLateness;
  /** Why the lateness could not be checked from outside. */
  unchecked?: string;
}

export async function runOpen(options: {
  workshop: Workshop;
  target: Target;
  cores: Cores;
  rates: readonly number[];
  seconds: number;
  quick: boolean;
  progress: (line: string) => void;
}): Promise<OpenResult> {
  const { target, cores, rates, seconds, quick, progress, workshop } = options;
  const warmUpMs = quick ? QUICK_WARM_MS : WARM_MS;
  const runs: OpenRun[] = [];
  for (const perSecond of rates) {
    for (const asked of PACERS) {
      const run = await measureRate({ target, cores, perSecond, asked, seconds, warmUpMs });
      runs.push(run);
      progress(describe(run));
      await target.deserted(END_MS);
    }
  }
  try {
    return { runs, checked: await checkLateness(workshop, cores, { seconds, warmUpMs }) };
  } catch (thrown) {
    return { runs, unchecked: messageOf(thrown) };
  }
}

function describe({ perSecond, sentRatio, lateness, pacer, generatorCpuShare }: OpenRun): string {
  const late = `lateness p99 ${lateness.medianP99Ms.toFixed(2)} ms, ${lateness.worstP99Ms.toFixed(2)} ms in the worst window`;
  const share = `${Math.round(generatorCpuShare * 100)} % of its core`;
  return `${perSecond}/s · sent ${(sentRatio * 100).toFixed(3)} % · ${late} · pacer ${pacer} · ${share}`;
}

/** The generator alone on the tool's core; the tool's own process, which only listens, beside the server. */
function openOrder(url: string, perSecond: number, cores: Cores, warmUpMs: number, forMs: number): LoadOrder {
  return {
    url,
    model: { kind: 'open', perSecond },
    warmUpMs,
    forMs,
    withinMs: WITHIN_MS,
    inFlightMax: IN_FLIGHT_MAX,
    numbered: false,
    pinTo: { generator: cores.tool, tool: cores.server },
  };
}

async function measureRate(options: {
  target: Target;
  cores: Cores;
  perSecond: number;
  asked: OpenRun['asked'];
  seconds: number;
  warmUpMs: number;
}): Promise<OpenRun> {
  const { target, cores, perSecond, asked, seconds, warmUpMs } = options;
  const before = target.counts().requests;
  const order = openOrder(target.url, perSecond, cores, warmUpMs, seconds * 1000);
  await using load = await SeawallLoad.start(order, undefined, { SEAWALL_PACER: asked });
  await target.reached(1, before, CONNECT_MS, load.program);
  const originMs = await load.originMs();
  await sleep(Math.max(0, originMs - (performance.timeOrigin + performance.now())));
  const window = await measureWindow(load.toolPid, target, cores, seconds);
  const result = await load.done(END_MS);
  const ofTool = (window.cpuSecondsByPid[load.toolPid] ?? 0) / window.seconds;
  return {
    perSecond,
    asked,
    seconds,
    ...countsOf(result),
    lateness: latenessOf(result),
    fromIntendedP99Ms: p99Ms(result.fromIntended),
    serviceP99Ms: p99Ms(result.service),
    pacer: pacerOf(result.health),
    eventLoopP99Ms: Math.max(0, ...result.health.map((row) => row.eventLoopP99Ms)),
    generatorCpuShare: window.cpuShare - ofTool,
    toolCpuShare: ofTool,
    window,
  };
}

/** Every start carries its number, and a server that answers at once keeps when it came. */
async function checkLateness(
  workshop: Workshop,
  cores: Cores,
  { seconds, warmUpMs }: { seconds: number; warmUpMs: number },
): Promise<CheckedLateness> {
  const script = {
    perSecond: CHECKED_RATE,
    seconds,
    cycleSeconds: seconds,
    serviceMinMs: 0,
    serviceSpanMs: 0,
    stalls: [],
  };
  await using server = await TruthServer.start(workshop, script, cores.server);
  const order = { ...openOrder(server.url, CHECKED_RATE, cores, warmUpMs, seconds * 1000), numbered: true };
  await using load = await SeawallLoad.start(order, undefined);
  const result = await load.done(warmUpMs + seconds * 1000 + END_MS);
  const { served } = await server.log();
  const seen = arrivalLateness(served, { perSecond: CHECKED_RATE, count: result.scheduled }, result.originMs).sort();
  const said = latenessOf(result);
  return {
    perSecond: CHECKED_RATE,
    saidWorstP99Ms: said.worstP99Ms,
    saidMedianP99Ms: said.medianP99Ms,
    seenP50Ms: quantileOf(seen, 0.5),
    seenP99Ms: quantileOf(seen, 0.99),
    requests: seen.length,
  };
}

function countsOf({ scheduled, sent, good, bad, droppedCap, droppedLate }: LoadResult) {
  const sentRatio = scheduled === 0 ? 0 : sent / scheduled;
  return { scheduled, sent, sentRatio, good, bad, droppedCap, droppedLate };
}

function latenessOf({ latenessP99Ms }: LoadResult): OpenRun['lateness'] {
  return {
    windows: latenessP99Ms.length,
    medianP99Ms: median(latenessP99Ms),
    worstP99Ms: Math.max(...latenessP99Ms),
    windowsOver3Ms: latenessP99Ms.filter((ms) => ms > LATENESS_TARGET_MS).length,
  };
}

const p99Ms = (encoded: string): number => Histogram.decode(encoded).quantile(0.99) / 1000;

function pacerOf(health: readonly LoadHealth[]): string {
  return [...new Set(health.map(({ pacer }) => pacer ?? 'not said'))].join(' and ') || 'not said';
}
