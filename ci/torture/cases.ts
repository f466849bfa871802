/** One way to break a mini stack, as `seawall inject` is told it. */
export interface TortureCase {
  stack: 'pair' | 'hello';
  kind: string;
  args: string[];
  runtimes: readonly ('local' | 'containers')[];
}

const BOTH = ['local', 'containers'] as const;
const LOCAL = ['local'] as const;
const CONTAINERS = ['containers'] as const;
const LINK = ['--link', 'hello:notes'];
const NODE = ['--node', 'hello-here'];
const STORE = ['--store', 'notes:primary'];

const hello = (runtimes: TortureCase['runtimes'], kind: string, ...args: string[]): TortureCase => ({
  stack: 'hello',
  kind,
  args,
  runtimes,
});

/** What a stack of at most three nodes can be put through; every family is in it. */
export const CASES: readonly TortureCase[] = [
  hello(BOTH, 'network.latency', ...LINK, '--delay', '80ms'),
  hello(BOTH, 'network.bandwidth', ...LINK, '--rate', '100KB/s'),
  hello(BOTH, 'network.black-hole', ...LINK),
  hello(BOTH, 'network.flapping', ...LINK, '--up', '300ms', '--down', '300ms'),
  hello(BOTH, 'network.limit-data', ...LINK, '--bytes', '2KB'),
  hello(CONTAINERS, 'network.loss', ...LINK, '--share', '30%'),
  hello(BOTH, 'network.partition', ...LINK),
  hello(CONTAINERS, 'network.partition', ...LINK, '--layer', 'packet'),
  hello(BOTH, 'network.refuse', ...LINK),
  hello(BOTH, 'network.reset', ...LINK),
  hello(BOTH, 'network.slicer', ...LINK, '--size', '64B', '--delay', '5ms'),
  hello(BOTH, 'network.slow-close', ...LINK, '--delay', '300ms'),
  hello(BOTH, 'network.timeout', ...LINK, '--after', '500ms'),
  hello(BOTH, 'process.kill', ...NODE),
  hello(BOTH, 'process.pause', ...NODE),
  hello(BOTH, 'process.restart', ...NODE),
  hello(BOTH, 'process.crash-loop', ...NODE, '--every', '700ms'),
  hello(BOTH, 'host.cpu', ...NODE),
  hello(CONTAINERS, 'host.cpu-limit', ...NODE, '--cores', '0.2'),
  hello(BOTH, 'host.memory', ...NODE, '--size', '64MB'),
  hello(BOTH, 'host.file-descriptors', ...NODE),
  hello(CONTAINERS, 'host.disk-fill', ...NODE),
  hello(BOTH, 'idc.blackout', '--idc', 'here'),
  hello(BOTH, 'database.primary-kill', ...STORE),
  hello(BOTH, 'database.primary-hang', ...STORE),
  hello(BOTH, 'database.cold-restart', ...STORE),
  hello(BOTH, 'database.connection-exhaustion', ...STORE),
  hello(BOTH, 'database.deadlocks', ...STORE, '--rate', '2/s'),
  hello(BOTH, 'database.lock-storm', ...STORE),
  hello(BOTH, 'database.lost-shard', ...STORE),
  hello(BOTH, 'database.read-only', ...STORE),
  hello(BOTH, 'database.slow-queries', ...STORE, '--factor', '3'),
  { stack: 'pair', kind: 'idc.slow-link', args: ['--link', 'edge:here', '--delay', '60ms'], runtimes: LOCAL },
  { stack: 'pair', kind: 'idc.isolation', args: ['--idc', 'here'], runtimes: LOCAL },
  { stack: 'pair', kind: 'network.partition', args: ['--link', 'front:back', '--one-way'], runtimes: LOCAL },
  { stack: 'pair', kind: 'process.kill', args: ['--node', 'back-here'], runtimes: LOCAL },
];
