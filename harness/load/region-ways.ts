import { type ChildProcess, spawn } from 'node:child_process';
import { within } from '../core/deadline.ts';
import { HarnessError } from '../core/errors.ts';
import { ownProgram } from '../core/own-program.ts';
import { runArgument } from '../core/process-identity.ts';
import type { CanaryResult, LoadSpec, RegionMeasured } from '../spi/load.ts';
import type { RegionSpec } from '../spi/plan.ts';
import type { Address } from '../spi/runtime.ts';
import { type Direct, lookAtWay, measureWay } from './region-round-trip.ts';

/** What passes through a proxy is garbage at once. */
const PROXY_FLAGS = ['--max-semi-space-size=1', '--expose-gc'];
const PROXY = ownProgram('../proxy/main', import.meta.url);
const READY_MS = 10_000;
const STDERR_MAX = 500;
const HOST = '127.0.0.1';

/** The ways from a scenario's regions to its target. */
export interface RegionWays {
  /** Where each begins, in the order of the regions. */
  addresses: readonly Address[];
  /** Whether each takes what was asked for, measured now; one result a region. */
  measure(): Promise<CanaryResult[]>;
  /** What each adds to a round trip at this moment, by one request. */
  look(): Promise<RegionMeasured[]>;
}

/**
 * Starts a fault proxy with an entry for each region, with its delay and bandwidth in it before anybody can connect. The
 * proxy ends with this process, however that ends; `fail` hears of it when it ends before.
 */
export async function openWays(spec: LoadSpec, fail: (thrown: unknown) => void): Promise<RegionWays> {
  const regions = spec.scenario.regions ?? [];
  const direct = { ...addressOf(spec.target), url: spec.target };
  const api = await startProxy(spec, fail);
  const addresses = await enter(api, regions, direct);
  const each = <T>(of: (region: RegionSpec, way: Address, past: Direct) => Promise<T>): Promise<T[]> =>
    Promise.all(regions.map((region, index) => of(region, addresses[index]!, direct)));
  return { addresses, measure: () => each(measureWay), look: async () => (await each(lookAtWay)).flat() };
}

function addressOf(target: string): Address {
  const url = new URL(target);
  const port = url.port === '' ? (url.protocol === 'https:' ? 443 : 80) : Number(url.port);
  return { host: url.hostname.replace(/^\[(.*)\]$/, '$1'), port };
}

async function startProxy(spec: LoadSpec, fail: (thrown: unknown) => void): Promise<string> {
  const args = ['--host', HOST, '--seed', String(spec.seed), '--until-stdin-ends', runArgument(spec.runId)];
  const child = spawn(process.execPath, [...PROXY_FLAGS, PROXY, ...args], { stdio: ['pipe', 'pipe', 'pipe'] });
  let said = '';
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    said = (said + text).slice(-STDERR_MAX);
  });
  const died = (why: string): HarnessError => {
    const message = `the proxy of the regions of ${spec.scenario.name} ${why}${said === '' ? '' : `; it said: ${said.trim()}`}`;
    return new HarnessError('PROXY_FAILED', message, 'Look at the machine’s memory and for whoever ended it.');
  };
  child.once('exit', (code, by) => fail(died(`ended (${by === null ? `exit code ${code}` : `signal ${by}`})`)));
  child.once('error', fail);
  return within(READY_MS, apiOf(child), () => died(`was not ready within ${READY_MS} ms`));
}

/** The one line that it prints. */
function apiOf(child: ChildProcess): Promise<string> {
  return new Promise((resolve) => {
    let text = '';
    child.stdout!.setEncoding('utf8').on('data', (more: string) => {
      text += more;
      if (text.includes('\n')) resolve((JSON.parse(text) as { api: string }).api);
    });
  });
}

/** Makes the entries and returns where they listen. */
async function enter(api: string, regions: readonly RegionSpec[], { host, port }: Address): Promise<Address[]> {
  const upstream = `${host.includes(':') ? `[${host}]` : host}:${port}`;
  const proxies = regions.map((region) => ({
    ...{ name: region.name, listen: `${HOST}:0`, upstream, enabled: true },
    toxics: toxicsOf(region),
  }));
  const answer = await fetch(`${api}/populate`, {
    method: 'POST',
    body: JSON.stringify(proxies),
    signal: AbortSignal.timeout(READY_MS),
  });
  const text = await answer.text();
  if (!answer.ok) {
    const message = `the entries of the regions were not made: ${answer.status} ${text.slice(0, 200)}`;
    throw new HarnessError('PROXY_FAILED', message, 'Please report it.');
  }
  const made = JSON.parse(text) as { proxies: { listen: string }[] };
  return made.proxies.map(({ listen }) => ({ host: HOST, port: Number(listen.slice(listen.lastIndexOf(':') + 1)) }));
}

/** Half of the round trip each way; of an odd millisecond the answer has the larger half. */
function toxicsOf({ rttMs, jitterMs, bytesPerSecond }: RegionSpec): object[] {
  return (['upstream', 'downstream'] as const).flatMap((stream) => {
    const half = stream === 'upstream' ? Math.floor : Math.ceil;
    const attributes = { latency: half(rttMs / 2), jitter: half(jitterMs / 2) };
    const delay = { name: `delay-${stream}`, type: 'latency', stream, toxicity: 1, attributes };
    if (bytesPerSecond === undefined) return [delay];
    const rate = { rate: bytesPerSecond / 1000 };
    return [delay, { name: `line-${stream}`, type: 'bandwidth', stream, toxicity: 1, attributes: rate }];
  });
}
