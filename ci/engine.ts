/**
 * Starts a Docker engine where none answers and nobody else manages one: a bare CI machine. Stops only what it started.
 *
 *   node ci/engine.ts start|stop|status
 */
import { spawn } from 'node:child_process';
import { closeSync, existsSync, mkdirSync, openSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { cacheFolder } from '../harness/core/binaries.ts';
import { HarnessError, messageOf } from '../harness/core/errors.ts';
import { identify, isAlive, type ProcessIdentity, signalExactly } from '../harness/core/process-identity.ts';
import { must, runCommand } from './run-command.ts';

const SOCKET = '/var/run/docker.sock';
const READY_MS = 60_000;
const STOP_MS = 30_000;
const POLL_MS = 200;
/** The range reserved for benchmarks (RFC 2544): it collides with nobody's network. */
const NETWORK = ['--bip', '198.19.0.1/24', '--default-address-pool', 'base=198.18.0.0/16,size=24'];
const DEBIAN_PACKAGES = { dockerd: 'docker.io', iptables: 'iptables', debootstrap: 'debootstrap' };

const engineFolder = (): string => join(cacheFolder(), 'engine');
const pidFile = (): string => join(engineFolder(), 'dockerd.json');
const logFile = (): string => join(engineFolder(), 'dockerd.log');

/** Version of the engine that answers the docker client, undefined when none does. A client alone says nothing. */
export async function engineVersion(): Promise<string | undefined> {
  try {
    const asked = await runCommand('docker', ['info', '--format', '{{.ServerVersion}}'], { timeoutMs: 10_000 });
    const version = asked.stdout.trim();
    return asked.code === 0 && /^\d/.test(version) ? version : undefined;
  } catch (thrown) {
    if ((thrown as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw thrown;
  }
}

/** Starts an engine unless one answers. Returns its version and whether it is ours to stop. */
export async function startEngine(): Promise<{ version: string; started: boolean }> {
  const there = await engineVersion();
  if (there !== undefined) return { version: there, started: false };
  if (process.env.DOCKER_HOST) {
    throw missing(`no engine answers at DOCKER_HOST=${process.env.DOCKER_HOST}`, 'Start it, or unset DOCKER_HOST.');
  }
  if (process.platform !== 'linux' || process.getuid?.() !== 0) {
    throw missing('no container engine answers', 'Start Docker or Podman; only root on Linux can have one started.');
  }
  await installEngine();
  const version = await startDaemon();
  return { version, started: true };
}

/** Stops the engine that `startEngine` started, in this process or an earlier one. Returns whether there was one. */
export async function stopEngine(): Promise<boolean> {
  if (!existsSync(pidFile())) return false;
  const daemon = JSON.parse(readFileSync(pidFile(), 'utf8')) as ProcessIdentity;
  const sent = signalExactly(daemon, 'SIGTERM');
  if (sent && !(await gone(daemon, STOP_MS))) {
    signalExactly(daemon, 'SIGKILL');
    await gone(daemon, STOP_MS);
  }
  rmSync(pidFile(), { force: true });
  return sent;
}

async function gone(daemon: ProcessIdentity, limitMs: number): Promise<boolean> {
  const until = performance.now() + limitMs;
  while (isAlive(daemon) && performance.now() < until) await sleep(POLL_MS);
  return !isAlive(daemon);
}

/** Debian packages of what the engine and its base image need, where a program of theirs is missing. */
async function installEngine(): Promise<void> {
  const wanted: string[] = [];
  for (const [program, name] of Object.entries(DEBIAN_PACKAGES)) {
    if (!(await isOnPath(program))) wanted.push(name);
  }
  if (wanted.length === 0) return;
  if (!existsSync('/etc/debian_version')) {
    throw missing(`${wanted.join(', ')} not installed`, 'Install Docker with this system’s own package manager.');
  }
  await aptInstall(wanted);
}

/** Installs Debian packages; needs root. */
export async function aptInstall(packages: string[]): Promise<void> {
  const env = { ...process.env, DEBIAN_FRONTEND: 'noninteractive' };
  await must('apt-get', ['update', '-qq'], { env, timeoutMs: 180_000 });
  const args = ['install', '-y', '-qq', '--no-install-recommends', ...packages];
  await must('apt-get', args, { env, timeoutMs: 600_000 });
}

async function isOnPath(program: string): Promise<boolean> {
  const asked = await runCommand('sh', ['-c', `command -v ${program}`], { env: systemEnv(), timeoutMs: 10_000 });
  return asked.code === 0;
}

/** Debian's daemons lie in folders that a user's PATH may lack. */
function systemEnv(): NodeJS.ProcessEnv {
  return { ...process.env, PATH: `${process.env.PATH ?? ''}:/usr/sbin:/sbin` };
}

async function startDaemon(): Promise<string> {
  const data = join(engineFolder(), 'data');
  mkdirSync(data, { recursive: true });
  mkdirSync('/var/run', { recursive: true });
  const log = openSync(logFile(), 'w');
  const argv = ['--host', `unix://${SOCKET}`, '--data-root', data, ...NETWORK];
  // A session of its own: Ctrl-C at the caller must not take the engine from under the containers.
  const child = spawn('dockerd', argv, { env: systemEnv(), detached: true, stdio: ['ignore', log, log] });
  closeSync(log);
  const ended = new Promise<string>((resolve) => {
    child.once('error', (thrown) => resolve(messageOf(thrown)));
    child.once('exit', (code, signal) => resolve(`it ended with ${signal ?? `code ${code}`}`));
  });
  const daemon = child.pid === undefined ? undefined : identify(child.pid);
  if (daemon !== undefined) writeFileSync(pidFile(), JSON.stringify(daemon));
  const version = await Promise.race([ready(), ended.then((why) => new Error(why))]);
  child.unref();
  if (typeof version === 'string') return version;
  await stopEngine();
  const tail = readFileSync(logFile(), 'utf8').trim().split('\n').slice(-5).join('\n');
  throw missing(`dockerd did not come up: ${version.message}\n${tail}`, `The whole log is in ${logFile()}.`);
}

async function ready(): Promise<string | Error> {
  const until = performance.now() + READY_MS;
  while (performance.now() < until) {
    const version = await engineVersion();
    if (version !== undefined) return version;
    await sleep(POLL_MS);
  }
  return new Error(`no answer within ${READY_MS / 1000} s`);
}

function missing(message: string, hint: string): HarnessError {
  return new HarnessError('ENGINE_MISSING', message, hint);
}

async function main(verb: string | undefined): Promise<number> {
  if (verb === 'start') {
    const { version, started } = await startEngine();
    console.log(`docker ${version} ${started ? 'started' : 'was running already'}`);
    return 0;
  }
  if (verb === 'stop') {
    console.log((await stopEngine()) ? 'docker stopped' : 'no engine of ours was running');
    return 0;
  }
  if (verb === 'status') {
    const version = await engineVersion();
    console.log(version === undefined ? 'no container engine answers' : `docker ${version} answers`);
    return version === undefined ? 1 : 0;
  }
  console.error('usage: node ci/engine.ts start|stop|status');
  return 3;
}

if (import.meta.main) {
  try {
    process.exitCode = await main(process.argv[2]);
  } catch (thrown) {
    if (!(thrown instanceof HarnessError)) throw thrown;
    console.error(`${thrown.code}: ${thrown.message}\n${thrown.hint}`);
    process.exitCode = 4;
  }
}
