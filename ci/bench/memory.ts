import { setTimeout as sleep } from 'node:timers/promises';
import { closedOrder } from './closed.ts';
import { type Cores, rssOf } from './cores.ts';
import { CONNECTIONS } from './peers.ts';
import { SeawallLoad } from './seawall.ts';
import { median } from './statistics.ts';
import type { Target } from './target.ts';

const SAMPLE_MS = 250;
const LIMIT_MS = 15 * 60_000;
const CONNECT_MS = 20_000;
const END_MS = 60_000;

export interface Resident {
  startBytes: number;
  maxBytes: number;
  endBytes: number;
  /** Median of the last fifth of the samples over the median of the second fifth: 1 is constant. */
  growth: number;
}

export interface MemoryResult {
  requests: number;
  seconds: number;
  generator: Resident;
  tool: Resident;
}

/** Sends that many requests as fast as 64 users can and looks at the resident memory all the while. */
export async function runMemory(options: {
  target: Target;
  cores: Cores;
  requests: number;
  progress: (line: string) => void;
}): Promise<MemoryResult> {
  const { target, cores, requests, progress } = options;
  const before = target.counts().requests;
  const began = performance.now();
  await using load = await SeawallLoad.start(closedOrder(target.url, LIMIT_MS), cores.tool);
  await target.reached(CONNECTIONS, before, CONNECT_MS, load.program);
  const generatorPid = await load.generatorPid();
  const samples: Record<'generator' | 'tool', number[]> = { generator: [], tool: [] };
  let told = 0;
  for (let sent = 0; sent < requests; ) {
    if (load.program.over) throw load.program.failure('ended before its requests were sent');
    if (performance.now() - began > LIMIT_MS) throw new Error(`only ${sent} of ${requests} requests in ${LIMIT_MS} ms`);
    for (const [name, pid] of [
      ['generator', generatorPid],
      ['tool', load.toolPid],
    ] as const) {
      const rss = rssOf(pid);
      if (rss !== undefined) samples[name].push(rss);
    }
    await sleep(SAMPLE_MS);
    sent = target.counts().requests - before;
    const tenths = Math.floor((sent * 10) / requests);
    if (tenths > told) progress(`${sent.toLocaleString('en-US')} requests · generator ${mb(samples.generator.at(-1))}`);
    told = tenths;
  }
  load.stop();
  const { sent } = await load.done(END_MS);
  const seconds = (performance.now() - began) / 1000;
  return { requests: sent, seconds, generator: residentOf(samples.generator), tool: residentOf(samples.tool) };
}

export function residentOf(samples: readonly number[]): Resident {
  const fifth = Math.max(1, Math.floor(samples.length / 5));
  const early = samples.slice(fifth, 2 * fifth);
  return {
    startBytes: samples[0] ?? 0,
    maxBytes: Math.max(0, ...samples),
    endBytes: samples.at(-1) ?? 0,
    growth: median(samples.slice(-fifth)) / median(early.length > 0 ? early : samples),
  };
}

const mb = (bytes: number | undefined): string => `${((bytes ?? 0) / 1e6).toFixed(0)} MB`;
