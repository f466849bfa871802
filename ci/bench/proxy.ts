import { type ChildProcess, spawn } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { type AddressInfo, connect, createServer, type Socket } from 'node:net';
import { fileURLToPath } from 'node:url';
import { findBinary } from '../../harness/core/binaries.ts';
import { freePort, listening } from '../../tests/support/proxy-engine.ts';
import { chooseCores } from './cores.ts';

/**
 * Our fault proxy beside the real Toxiproxy and a bare pipe of Node's, each on a core of its own, with the echo and the
 * asking on another: small requests in a closed loop on 1, 64 and 512 connections, round after round.
 *
 *   node ci/bench/proxy.ts [rounds]
 */
const CONNECTIONS = [1, 64, 512];
const ROUND_MS = 1500;
const WARM_MS = 300;
const ROUNDS = 5;
const REQUEST = Buffer.alloc(100, 'x');
/** The kernel's unit of CPU time in /proc. */
const TICKS_PER_SECOND = 100;

interface Figures {
  p50Us: number;
  perSecond: number;
  /** Of the proxy, for one request and its answer. */
  cpuUs: number;
}

interface Contender {
  name: string;
  port: number;
  child: ChildProcess | undefined;
}

const PIPE = `
const { connect, createServer } = require('node:net');
const [port, to] = process.argv.slice(1).map(Number);
createServer({ noDelay: true }, (client) => {
  const server = connect({ port: to, host: '127.0.0.1', noDelay: true });
  client.pipe(server).pipe(client);
  client.on('error', () => server.destroy());
  server.on('error', () => client.destroy());
}).listen(port, '127.0.0.1');
`;

const main = async (rounds: number): Promise<void> => {
  const cores = chooseCores();
  const echo = createServer({ noDelay: true }, (socket) => socket.pipe(socket).on('error', () => socket.destroy()));
  await new Promise<void>((resolve) => echo.listen(0, '127.0.0.1', resolve));
  const to = (echo.address() as AddressInfo).port;
  spawn('taskset', ['-a', '-c', '-p', String(cores.server), String(process.pid)], { stdio: 'ignore' });
  const contenders = await startAll(to, cores.tool);
  try {
    for (const connections of CONNECTIONS) {
      const seen = new Map<string, Figures[]>(contenders.map(({ name }) => [name, []]));
      for (let round = 0; round < rounds; round++) {
        for (const one of contenders) seen.get(one.name)!.push(await measure(one, connections));
      }
      print(connections, seen);
    }
  } finally {
    for (const { child } of contenders) child?.kill('SIGKILL');
    echo.close();
  }
};

async function startAll(to: number, core: number): Promise<Contender[]> {
  const found: Contender[] = [{ name: 'direct', port: to, child: undefined }];
  const pinned = (command: string[]): ChildProcess => {
    const env = { ...process.env, GOMAXPROCS: '1', LOG_LEVEL: 'error' };
    return spawn('taskset', ['-c', String(core), ...command], { stdio: 'ignore', env });
  };
  const pipePort = await freePort();
  const pipe = pinned([process.execPath, '-e', PIPE, String(pipePort), String(to)]);
  await listening(pipePort);
  found.push({ name: 'node pipe', port: pipePort, child: pipe });
  const main = fileURLToPath(new URL('../../harness/proxy/main.ts', import.meta.url));
  const real = findBinary('toxiproxy');
  const programs: [string, string[], string][] = [['seawall', [process.execPath, '--expose-gc', main], '--']];
  if (real !== undefined) programs.push(['toxiproxy', [real.path], '-']);
  for (const [name, command, dash] of programs) {
    const [api, port] = [await freePort(), await freePort()];
    const child = pinned([...command, `${dash}host=127.0.0.1`, `${dash}port=${api}`]);
    await listening(api);
    const body = JSON.stringify({ name: 'p', listen: `127.0.0.1:${port}`, upstream: `127.0.0.1:${to}` });
    await fetch(`http://127.0.0.1:${api}/proxies`, { method: 'POST', body });
    found.push({ name, port, child });
  }
  return found;
}

async function measure({ port, child }: Contender, connections: number): Promise<Figures> {
  const sockets = await Promise.all(Array.from({ length: connections }, () => dial(port)));
  const times: number[] = [];
  let counting = false;
  let over = false;
  for (const socket of sockets) {
    let askedAtMs = performance.now();
    let missing = REQUEST.length;
    socket.on('data', (bytes: Buffer) => {
      missing -= bytes.length;
      if (missing > 0 || over) return;
      const now = performance.now();
      if (counting) times.push(now - askedAtMs);
      askedAtMs = now;
      missing = REQUEST.length;
      socket.write(REQUEST);
    });
    socket.write(REQUEST);
  }
  await pause(WARM_MS);
  counting = true;
  const [cpuBefore, startedAtMs] = [cpuSeconds(child), performance.now()];
  await pause(ROUND_MS);
  over = true;
  const [cpu, seconds] = [cpuSeconds(child) - cpuBefore, (performance.now() - startedAtMs) / 1000];
  for (const socket of sockets) socket.destroy();
  await pause(50);
  times.sort((a, b) => a - b);
  const p50Us = (times[times.length >> 1] ?? 0) * 1000;
  return { p50Us, perSecond: times.length / seconds, cpuUs: (cpu * 1e6) / Math.max(1, times.length) };
}

const pause = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));

function dial(port: number): Promise<Socket> {
  const socket = connect({ port, host: '127.0.0.1', noDelay: true });
  return new Promise((resolve, reject) => {
    socket.once('connect', () => resolve(socket));
    socket.once('error', reject);
  });
}

/** What a process has used since it began; `taskset` becomes the program, so that its pid is the program's. */
function cpuSeconds(child: ChildProcess | undefined): number {
  if (child === undefined) return 0;
  const fields = readFileSync(`/proc/${child.pid}/stat`, 'utf8').split(') ')[1]!.split(' ');
  return (Number(fields[11]) + Number(fields[12])) / TICKS_PER_SECOND;
}

function print(connections: number, seen: ReadonlyMap<string, Figures[]>): void {
  console.log(`${connections} connection${connections === 1 ? '' : 's'}`);
  for (const [name, rounds] of seen) {
    const spread = (pick: (one: Figures) => number): string => {
      const sorted = rounds.map(pick).toSorted((a, b) => a - b);
      const text = (value: number): string => value.toFixed(value < 100 ? 1 : 0);
      return `${text(sorted[sorted.length >> 1]!)} (${text(sorted[0]!)}–${text(sorted.at(-1)!)})`;
    };
    const figures = `p50 ${spread((one) => one.p50Us)} µs, ${spread((one) => one.perSecond)}/s`;
    console.log(`  ${name.padEnd(10)} ${figures}, CPU ${spread((one) => one.cpuUs)} µs a request`);
  }
}

await main(Number(process.argv[2] ?? ROUNDS));
