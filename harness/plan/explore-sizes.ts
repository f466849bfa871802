import type { Random } from '../core/random.ts';
import { formatDuration } from '../core/units.ts';
import type { JsonObject } from '../spi/json.ts';

/** How the parameters of a kind of fault are drawn, as a plan would write them, within what that kind takes. */
export interface Sizes {
  draw(random: Random): JsonObject;
  /** The plainest of them: what a shrunk schedule is tried with. */
  plain: JsonObject;
}

const NOTHING: Sizes = { draw: () => ({}), plain: {} };

/** Small sizes are as likely as large ones: from 10 to 100 falls as often as from 100 to 1000. */
function magnitude(random: Random, from: number, to: number): number {
  const exact = from * (to / from) ** random.next();
  // Two digits: nobody reads the rest.
  const grain = 10 ** Math.max(0, Math.floor(Math.log10(exact)) - 1);
  return Math.min(to, Math.max(from, Math.round(exact / grain) * grain));
}

const durationOf = (random: Random, fromMs: number, toMs: number): string =>
  formatDuration(magnitude(random, fromMs, toMs));
const oneOf = <T>(random: Random, all: readonly T[]): T => all[random.integer(0, all.length - 1)]!;
const eitherStream = (random: Random): string => oneOf(random, ['upstream', 'downstream']);
const anyStream = (random: Random): string => oneOf(random, ['both', 'upstream', 'downstream']);

function delayed(random: Random): JsonObject {
  const delayMs = magnitude(random, 5, 4000);
  return { delay: formatDuration(delayMs), jitter: formatDuration(Math.floor((delayMs * random.integer(0, 10)) / 10)) };
}

function flapping(random: Random): JsonObject {
  const downMs = random.integer(2, 10) * 100;
  return { up: formatDuration(random.integer(2, 12 - downMs / 100) * 100), down: formatDuration(downMs) };
}

function sliced(random: Random): JsonObject {
  const size = magnitude(random, 16, 4000);
  return { size: `${size}B`, delay: durationOf(random, 5, 80), stream: anyStream(random) };
}

/** By kind of fault. Ranges lie within those of the kinds themselves, which check what is drawn. */
export const SIZES: Readonly<Record<string, Sizes>> = {
  'database.cold-restart': NOTHING,
  'database.connection-exhaustion': NOTHING,
  'database.deadlocks': { draw: (random) => ({ rate: `${random.integer(1, 10)}/s` }), plain: { rate: '1/s' } },
  'database.lock-storm': { draw: (random) => ({ busiest: random.integer(1, 3) }), plain: {} },
  'database.lost-shard': { draw: (random) => ({ by: oneOf(random, ['cut', 'kill']) }), plain: {} },
  'database.primary-hang': NOTHING,
  'database.primary-kill': NOTHING,
  'database.read-only': NOTHING,
  'database.replication-lag': {
    draw: (random) => ({ lag: durationOf(random, 500, 10_000) }),
    plain: { lag: '1s' },
  },
  'database.slow-queries': { draw: (random) => ({ factor: random.integer(2, 6) }), plain: { factor: 2 } },
  'database.standby-loss': NOTHING,
  'host.cpu': {
    draw: (random) => ({ threads: random.integer(1, 4), share: `${random.integer(1, 10) * 10}%` }),
    plain: {},
  },
  'host.cpu-limit': { draw: (random) => ({ cores: magnitude(random, 5, 100) / 100 }), plain: { cores: 0.2 } },
  'host.file-descriptors': { draw: (random) => ({ leave: random.integer(0, 20) }), plain: {} },
  'idc.blackout': NOTHING,
  'idc.isolation': {
    draw: (random) => ({ lost: oneOf(random, ['both', 'in', 'out']), edge: oneOf(random, ['cut', 'kept']) }),
    plain: {},
  },
  'idc.slow-link': { draw: delayed, plain: { delay: '100ms' } },
  'network.bandwidth': {
    draw: (random) => ({ rate: `${magnitude(random, 8, 1000)}KB/s`, stream: anyStream(random) }),
    plain: { rate: '32KB/s' },
  },
  'network.black-hole': { draw: (random) => ({ stream: anyStream(random) }), plain: {} },
  'network.flapping': { draw: flapping, plain: { up: '500ms', down: '500ms' } },
  'network.latency': {
    draw: (random) => ({ ...delayed(random), stream: anyStream(random) }),
    plain: { delay: '100ms' },
  },
  'network.limit-data': {
    draw: (random) => ({ bytes: `${magnitude(random, 100, 100_000)}B`, stream: eitherStream(random) }),
    plain: { bytes: '1KB' },
  },
  'network.loss': {
    draw: (random) => ({ share: `${random.integer(2, 60)}%`, stream: anyStream(random) }),
    plain: { share: '20%' },
  },
  'network.partition': { draw: (random) => ({ oneWay: random.next() < 0.5 }), plain: {} },
  'network.refuse': NOTHING,
  'network.reset': { draw: (random) => ({ after: durationOf(random, 1, 3000) }), plain: {} },
  'network.slicer': { draw: sliced, plain: { size: '64B', delay: '10ms' } },
  'network.slow-close': {
    draw: (random) => ({ delay: durationOf(random, 100, 3000), stream: eitherStream(random) }),
    plain: { delay: '500ms' },
  },
  'network.timeout': { draw: (random) => ({ after: durationOf(random, 100, 3000) }), plain: { after: '500ms' } },
  'process.crash-loop': { draw: (random) => ({ every: durationOf(random, 500, 10_000) }), plain: {} },
  'process.kill': NOTHING,
  'process.pause': NOTHING,
  'process.restart': NOTHING,
};

/** Kinds that are left to people, and why. */
export const NOT_DRAWN: Readonly<Record<string, string>> = {
  'host.disk-fill': 'how much room a folder may lose is not in the topology',
  'host.memory': 'how much memory the machine can spare is not in the topology',
};
