/**
 * Runs this repository's scripts on Node 24, whatever Node npm itself runs on (20 or later will do).
 *
 *   node ci/bootstrap.mjs demo|test|check|seawall|generate|build|bench-import|bench-load|torture [args…]
 *   node ci/bootstrap.mjs setup|carried-node
 *
 * Plain JavaScript, because it has to run before there is a Node that reads TypeScript. `setup` installs all that the
 * scripts need and prints the path of the Node that they will run on. `carried-node` installs the Node that npm carries,
 * whatever others there are, and prints its path: container images take it from there.
 */
import { spawn, spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { closeSync, existsSync, openSync, readFileSync, writeFileSync } from 'node:fs';
import { constants, homedir } from 'node:os';
import { delimiter, dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const NODE_MAJOR = 24;
const ROOT = dirname(dirname(fileURLToPath(import.meta.url)));
const NODE_PACKAGE = join(ROOT, 'ci', 'node24');
const CARRIED_NODE = join(NODE_PACKAGE, 'node_modules', '.bin', 'node');
const STAMP = join(ROOT, 'node_modules', '.seawall-stamp');

/** The tool lives beside what it measures: a small nursery keeps its own process small. */
const LEAN = ['--max-semi-space-size=2'];

/** Script name → arguments for Node. `seawall` runs where the user typed the command, all others at the root. */
const SCRIPTS = {
  demo: { argv: [...LEAN, join(ROOT, 'harness/cli.ts'), 'run', 'plans/quickstart.yaml'], cwd: ROOT },
  test: { argv: [join(ROOT, 'ci/test.ts')], cwd: ROOT },
  check: { argv: [join(ROOT, 'ci/check.ts')], cwd: ROOT },
  generate: { argv: [join(ROOT, 'ci/generate.ts')], cwd: ROOT },
  build: { argv: [join(ROOT, 'ci/build.ts')], cwd: ROOT },
  'bench-import': { argv: [join(ROOT, 'ci/bench/import.ts')], cwd: ROOT },
  'bench-load': { argv: [join(ROOT, 'ci/bench/main.ts')], cwd: ROOT },
  torture: { argv: [join(ROOT, 'ci/torture/main.ts')], cwd: ROOT },
  seawall: { argv: [...LEAN, join(ROOT, 'harness/cli.ts')], cwd: process.env.INIT_CWD ?? process.cwd() },
};

/** An end that the user can do something about: one sentence, no stack trace. */
class SetupError extends Error {}

function main(argv) {
  const [name, ...args] = argv;
  if (name === 'carried-node') {
    process.stdout.write(`${installCarriedNode()}\n`);
    return;
  }
  const script = Object.hasOwn(SCRIPTS, name ?? '') ? SCRIPTS[name] : undefined;
  if (script === undefined && name !== 'setup') {
    throw new SetupError(`usage: node ci/bootstrap.mjs ${Object.keys(SCRIPTS).join('|')} [args…]`);
  }
  const node = findNode();
  const env = { ...process.env, PATH: [dirname(node), process.env.PATH ?? ''].join(delimiter) };
  // As harness/core/binaries.ts has it, which a Node without type stripping cannot read.
  const cache = env.SEAWALL_CACHE || join(env.XDG_CACHE_HOME || join(homedir(), '.cache'), 'seawall');
  env.NODE_COMPILE_CACHE ??= join(cache, 'compile');
  if (installPackages(env)) warm(node, env);
  if (script === undefined) {
    process.stdout.write(`${node}\n`);
    return;
  }
  run(node, [...script.argv, ...args], { cwd: script.cwd, env });
}

/** Absolute path of a Node that is new enough: the one that runs this, one on PATH, or the one that npm carries. */
function findNode() {
  if (Number(process.versions.node.split('.')[0]) >= NODE_MAJOR) return process.execPath;
  const onPath = (process.env.PATH ?? '')
    .split(delimiter)
    .filter((folder) => folder !== '')
    .map((folder) => join(folder, 'node'));
  return onPath.find((path) => existsSync(path) && isNewEnough(path)) ?? installCarriedNode();
}

function isNewEnough(path) {
  const asked = spawnSync(path, ['--version'], { encoding: 'utf8', timeout: 10_000 });
  return asked.status === 0 && Number(/^v(\d+)\./.exec(asked.stdout)?.[1] ?? 0) >= NODE_MAJOR;
}

/** Installs Node 24 from npm packages into ci/node24, unless it is there already. */
function installCarriedNode() {
  if (existsSync(CARRIED_NODE) && isNewEnough(CARRIED_NODE)) return CARRIED_NODE;
  say(`Node ${process.versions.node} runs npm; installing Node ${NODE_MAJOR} into ci/node24`);
  const failure = runNpm(['ci'], NODE_PACKAGE, process.env);
  if (failure === undefined && existsSync(CARRIED_NODE) && isNewEnough(CARRIED_NODE)) return CARRIED_NODE;
  // The packages are optional, so npm is content without: no network, or none for this machine.
  const why = failure ?? `npm got none that runs on ${process.platform} ${process.arch}; does its registry answer?`;
  throw new SetupError(
    `No Node ${NODE_MAJOR} is on PATH and none could be installed (${why}): ` +
      `install Node ${NODE_MAJOR} or newer from https://nodejs.org and run the command again.`,
  );
}

/**
 * Makes node_modules what package-lock.json says; does nothing, and needs no network, when it is that already. Returns
 * whether anything was installed: a tree that cannot be stamped is looked at again each time.
 */
function installPackages(env) {
  const lock = readFileSync(join(ROOT, 'package-lock.json'), 'utf8');
  const wanted = createHash('sha256').update(lock).digest('hex');
  if (existsSync(STAMP) && readFileSync(STAMP, 'utf8').trim() === wanted) return false;
  const missing = !isInstalled(lock);
  if (missing) {
    say('installing the npm packages of package-lock.json');
    // Not `npm ci`: it refuses a lock file that lacks optional packages of other platforms, and such a lock file is what
    // npm writes where a registry does not have them all. What came of it is checked here instead.
    const failure = runNpm(['install', '--no-save'], ROOT, env);
    if (failure !== undefined || !isInstalled(lock)) {
      const why = failure ?? 'node_modules is not what package-lock.json says';
      throw new SetupError(
        `The npm packages could not be installed (${why}): see npm's lines above, then run the command again.`,
      );
    }
  }
  leaveStamp(wanted);
  return missing;
}

/** The first start of anything would strip types itself and hold 30 MB for it; nothing depends on its success. */
function warm(node, env) {
  spawnSync(node, [...LEAN, join(ROOT, 'ci', 'warm.ts')], { env, stdio: 'ignore', timeout: 30_000 });
}

/** Whether npm's own record of node_modules has every package of the lock file that is not optional. */
function isInstalled(lock) {
  const record = join(ROOT, 'node_modules', '.package-lock.json');
  if (!existsSync(record)) return false;
  const there = JSON.parse(readFileSync(record, 'utf8')).packages ?? {};
  return Object.entries(JSON.parse(lock).packages).every(
    ([path, entry]) => path === '' || there[path]?.version === entry.version || (entry.optional && !there[path]),
  );
}

/** The stamp only saves a second's work next time: a tree that another user owns goes without. */
function leaveStamp(text) {
  try {
    writeFileSync(STAMP, `${text}\n`);
  } catch (thrown) {
    if (!['EACCES', 'EPERM', 'EROFS'].includes(thrown.code)) throw thrown;
  }
}

/** Runs an npm command in a folder, its output on stderr. Returns what went wrong, or undefined. */
function runNpm(command, folder, env) {
  const started = Date.now();
  const [program, ...first] = npmCommand();
  const flags = ['--no-audit', '--no-fund', '--loglevel=error'];
  const done = spawnSync(program, [...first, ...command, ...flags], { cwd: folder, env, stdio: ['ignore', 2, 2] });
  if (done.error !== undefined) return `npm did not start: ${done.error.message}`;
  if (done.signal !== null) return `npm ended by ${done.signal}`;
  if (done.status !== 0) return `npm ${command[0]} ended with code ${done.status}`;
  say(`installed in ${((Date.now() - started) / 1000).toFixed(1)} s`);
  return undefined;
}

/** The npm that called us, else the one on PATH. Its `#!/usr/bin/env node` follows the PATH that it is given. */
function npmCommand() {
  const caller = process.env.npm_execpath ?? '';
  return caller.endsWith('npm-cli.js') && existsSync(caller) ? ['node', caller] : ['npm'];
}

/**
 * Runs the script and ends as it ends. In a terminal Ctrl-C reaches the child by itself, so SIGINT is not passed on a
 * second time (the tool takes two for "heal only"); without a terminal it is.
 */
function run(program, argv, options) {
  const child = spawn(program, argv, { ...options, stdio: 'inherit' });
  const inTerminal = hasTerminal();
  process.on('SIGINT', () => {
    if (!inTerminal) child.kill('SIGINT');
  });
  process.on('SIGTERM', () => child.kill('SIGTERM'));
  process.on('SIGHUP', () => child.kill('SIGHUP'));
  child.on('error', (thrown) => {
    fail(`${program} did not start: ${thrown.message}`);
  });
  child.on('exit', (code, signal) => {
    process.exitCode = signal === null ? (code ?? 1) : 128 + (constants.signals[signal] ?? 0);
  });
}

function hasTerminal() {
  try {
    closeSync(openSync('/dev/tty', 'r'));
    return true;
  } catch {
    // No controlling terminal: a pipeline, a CI job, a service.
    return false;
  }
}

function say(line) {
  process.stderr.write(`seawall setup: ${line}\n`);
}

function fail(message) {
  process.stderr.write(`seawall setup: ${message}\n`);
  process.exitCode = 4;
}

try {
  main(process.argv.slice(2));
} catch (thrown) {
  if (!(thrown instanceof SetupError)) throw thrown;
  fail(thrown.message);
}
