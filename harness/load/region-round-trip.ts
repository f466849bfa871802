import { connect } from 'node:net';
import { isAsAsked } from '../core/region-tolerance.ts';
import type { CanaryResult, RegionMeasured } from '../spi/load.ts';
import type { RegionSpec } from '../spi/plan.ts';
import type { Address } from '../spi/runtime.ts';

/** So many pairs, a few of them at a time: the way from the region and the direct one, at the same moment. */
const ROUNDS = 3;
const PAIRS_A_ROUND = 3;
const ANSWER_MS = 2000;
/** A slow link hands on what passes in this time as one piece. */
const PIECE_MS = 50;

/** The system's own address, and the base URL that it has there. */
export type Direct = Address & { url: string };

interface Exchange {
  ms: number;
  /** Of the first piece that came back. */
  bytes: number;
}

/**
 * Measures what the way from a region adds to a round trip: the quickest of some over it less the quickest direct one (the
 * medians where there is jitter), and less what the bytes themselves take at the region's bandwidth. It sends plain
 * HTTP requests of its own over connections of its own; whatever comes back, a refusal by TLS too, is a round trip.
 */
export async function measureWay(region: RegionSpec, way: Address, direct: Direct): Promise<CanaryResult> {
  const over: number[] = [];
  const past: number[] = [];
  for (let round = 0; round < ROUNDS; round++) {
    const pairs = await Promise.all(Array.from({ length: PAIRS_A_ROUND }, () => pairOf(region, way, direct)));
    for (const { overMs, pastMs } of pairs) {
      if (overMs === undefined || pastMs === undefined) continue;
      over.push(overMs);
      past.push(pastMs);
    }
  }
  return resultOf(region, over, past);
}

/** One look at it, while the load is on; none where the system itself did not answer. */
export async function lookAtWay(region: RegionSpec, way: Address, direct: Direct): Promise<RegionMeasured[]> {
  const { name, rttMs: askedMs } = region;
  const { overMs, pastMs } = await pairOf(region, way, direct);
  if (pastMs === undefined) return [];
  return [overMs === undefined ? { name, askedMs } : { name, askedMs, measuredMs: tenths(overMs - pastMs) }];
}

async function pairOf(
  region: RegionSpec,
  way: Address,
  direct: Direct,
): Promise<{ overMs: number | undefined; pastMs: number | undefined }> {
  const request = requestFor(direct.url);
  const { host, port } = direct;
  const [far, near] = await Promise.all([
    exchange(way, request, region.rttMs + ANSWER_MS),
    exchange({ host, port }, request, ANSWER_MS),
  ]);
  const overMs = far && far.ms - carryMs(region, request.length) - carryMs(region, far.bytes);
  return { overMs, pastMs: near?.ms };
}

function resultOf(region: RegionSpec, over: readonly number[], past: readonly number[]): CanaryResult {
  const { name, rttMs: askedMs, jitterMs } = region;
  const result = { journey: `the way from ${name}`, acks: [] };
  if (over.length === 0) {
    return { ...result, good: false, because: 'no answer came over it', region: { name, askedMs } };
  }
  const of = jitterMs === 0 ? quickest : median;
  const measuredMs = tenths(of(over) - of(past));
  const good = isAsAsked(region, measuredMs);
  const because = `it adds ${measuredMs} ms to a round trip, asked ${askedMs} ms`;
  return { ...result, good, because, region: { name, askedMs, measuredMs } };
}

const tenths = (ms: number): number => Math.round(ms * 10) / 10;
const quickest = (values: readonly number[]): number => Math.min(...values);
const median = (values: readonly number[]): number => values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)]!;

/** How long so many bytes are on the line. */
function carryMs({ bytesPerSecond }: RegionSpec, bytes: number): number {
  if (bytesPerSecond === undefined) return 0;
  const perMs = bytesPerSecond / 1000;
  return Math.min(bytes / perMs, PIECE_MS);
}

function requestFor(target: string): Buffer {
  const { pathname, host } = new URL(target);
  const lines = [`GET ${pathname} HTTP/1.1`, `Host: ${host}`, 'User-Agent: seawall-probe', 'Connection: close', '', ''];
  return Buffer.from(lines.join('\r\n'));
}

/** From the request's sending to the first thing that comes back; undefined when nothing does. */
function exchange(address: Address, request: Buffer, withinMs: number): Promise<Exchange | undefined> {
  return new Promise((resolve) => {
    const socket = connect({ ...address, noDelay: true });
    let sentAtMs: number | undefined;
    const settle = (bytes: number | undefined): void => {
      clearTimeout(timer);
      socket.destroy();
      const ms = performance.now() - (sentAtMs ?? 0);
      resolve(bytes === undefined || sentAtMs === undefined ? undefined : { ms, bytes });
    };
    const timer = setTimeout(() => settle(undefined), withinMs);
    socket.once('connect', () => {
      sentAtMs = performance.now();
      socket.write(request);
    });
    socket.once('data', (piece) => settle(piece.length));
    socket.once('end', () => settle(0));
    socket.on('error', () => settle(0));
  });
}
