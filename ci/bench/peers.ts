import { createRequire } from 'node:module';
import { join } from 'node:path';
import { findBinary } from '../../harness/core/binaries.ts';
import { onPath } from './programs.ts';

export const CONNECTIONS = 64;

export const TOOLS = ['seawall', 'raw loop', 'wrk', 'autocannon', 'hey', 'vegeta', 'k6'] as const;
export type ToolName = (typeof TOOLS)[number];
export type PeerName = Exclude<ToolName, 'seawall'>;

export interface FoundPeer {
  name: PeerName;
  /** As the program tells it, or where it comes from. */
  version: string;
  /** 64 keep-alive connections, as fast as they go, for whole seconds. */
  closed(url: string, seconds: number): Invocation;
  /** Absolute, or Node's own. */
  program: readonly string[];
}

export interface MissingPeer {
  name: PeerName;
  /** How to get it. */
  get: string;
}

export interface Invocation {
  command: readonly string[];
  env?: Record<string, string>;
  /** Written to its standard input, which is closed then. */
  input?: string;
}

/** The peers that are here, and those that are not with how to get them. */
export function findPeers(): { found: FoundPeer[]; missing: MissingPeer[] } {
  const found: FoundPeer[] = [];
  const missing: MissingPeer[] = [];
  for (const look of [rawLoop, wrk, autocannon, hey, vegeta, k6]) {
    const peer = look();
    if ('get' in peer) missing.push(peer);
    else found.push(peer);
  }
  return { found, missing };
}

/** The platform's floor: sockets of node:net that write one buffer and count bytes. */
function rawLoop(): FoundPeer {
  const program = [process.execPath, join(import.meta.dirname, 'raw-loop.ts')];
  return {
    name: 'raw loop',
    version: `node:net of Node ${process.versions.node}`,
    program,
    closed: (url, seconds) => ({ command: [...program, url, String(CONNECTIONS), String(seconds)] }),
  };
}

function wrk(): FoundPeer | MissingPeer {
  const path = onPath('wrk');
  if (path === undefined) return { name: 'wrk', get: 'apt-get install wrk (or your system’s package)' };
  return {
    name: 'wrk',
    version: path,
    program: [path],
    closed: (url, seconds) => ({
      command: [path, '-t1', `-c${CONNECTIONS}`, `-d${seconds}s`, '--latency', url],
    }),
  };
}

function autocannon(): FoundPeer | MissingPeer {
  const require = createRequire(import.meta.url);
  let manifest: string;
  try {
    manifest = require.resolve('autocannon/package.json');
  } catch {
    return { name: 'autocannon', get: 'npm install' };
  }
  const program = [process.execPath, join(manifest, '..', 'autocannon.js')];
  return {
    name: 'autocannon',
    version: (require(manifest) as { version: string }).version,
    program,
    closed: (url, seconds) => ({
      command: [...program, '-c', String(CONNECTIONS), '-d', String(seconds), '--json', url],
    }),
  };
}

function hey(): FoundPeer | MissingPeer {
  const path = onPath('hey');
  if (path === undefined) return { name: 'hey', get: 'apt-get install hey (or your system’s package)' };
  return {
    name: 'hey',
    version: path,
    program: [path],
    closed: (url, seconds) => ({
      command: [path, '-c', String(CONNECTIONS), '-z', `${seconds}s`, url],
    }),
  };
}

function vegeta(): FoundPeer | MissingPeer {
  const found = findBinary('vegeta');
  if (found === undefined) return { name: 'vegeta', get: 'seawall doctor --fix (builds it with Go)' };
  const workers = ['-workers', '-max-workers', '-connections', '-max-connections'];
  return {
    name: 'vegeta',
    version: found.version,
    program: [found.path],
    closed: (url, seconds) => ({
      command: [
        found.path,
        'attack',
        '-rate=0',
        ...workers.map((flag) => `${flag}=${CONNECTIONS}`),
        `-duration=${seconds}s`,
        '-output=/dev/null',
      ],
      input: `GET ${url}\n`,
    }),
  };
}

function k6(): FoundPeer | MissingPeer {
  const found = findBinary('k6');
  if (found === undefined) return { name: 'k6', get: 'seawall doctor --fix (builds it with Go)' };
  const script = join(import.meta.dirname, 'k6-script.js');
  return {
    name: 'k6',
    version: found.version,
    program: [found.path],
    closed: (url, seconds) => ({
      command: [found.path, 'run', '--quiet', '--no-usage-report', script],
      env: { BENCH_URL: url, BENCH_SECONDS: String(seconds), BENCH_USERS: String(CONNECTIONS) },
    }),
  };
}
