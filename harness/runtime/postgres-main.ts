/**
 * Runs one PostgreSQL server as a child: `postgres` itself takes no arguments but its own, so it could not carry the
 * run's flag. Makes the data folder on the first start. SIGTERM ends it by SIGINT, then SIGQUIT: a server that waits for
 * a dead standby ignores anything gentler. Ends as the server ends.
 */
import { execFile, spawn } from 'node:child_process';
import { appendFileSync, chownSync, existsSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseArgs, promisify } from 'node:util';
import { identify } from '../core/process-identity.ts';

const QUIT_AFTER_MS = 2000;

const { values } = parseArgs({
  options: {
    bin: { type: 'string' },
    data: { type: 'string' },
    host: { type: 'string' },
    port: { type: 'string' },
    user: { type: 'string' },
    'run-as': { type: 'string', default: '' },
  },
  strict: false,
});
const given = (name: keyof typeof values): string => String(values[name] ?? '');
const [uid, gid] = given('run-as') === '' ? [] : given('run-as').split(':').map(Number);
const identity = uid === undefined || gid === undefined ? {} : { uid, gid };

if (!existsSync(join(given('data'), 'PG_VERSION'))) await initialise();
forgetTheDead();
serve();

async function initialise(): Promise<void> {
  const passwordFile = join(given('data'), '..', 'password');
  writeFileSync(passwordFile, process.env.PG_PASSWORD ?? '', { mode: 0o600 });
  if (uid !== undefined && gid !== undefined) chownSync(passwordFile, uid, gid);
  const args = [
    ...['-D', given('data'), '--username', given('user'), '--pwfile', passwordFile],
    ...['--auth', 'scram-sha-256', '--encoding', 'UTF8', '--locale', 'C', '--no-sync', '--no-instructions'],
  ];
  await promisify(execFile)(join(given('bin'), 'initdb'), args, { ...identity, cwd: '/' });
  rmSync(passwordFile);
  // In the file and not on the command line: what stands there cannot be changed later.
  const settings = [
    `listen_addresses = '${given('host')}'`,
    `port = ${given('port')}`,
    `unix_socket_directories = ''`,
    'dynamic_shared_memory_type = mmap',
    'shared_buffers = 32MB',
  ];
  appendFileSync(join(given('data'), 'postgresql.conf'), `${settings.join('\n')}\n`);
}

/**
 * A killed server that nobody has waited for yet is a zombie, and PostgreSQL takes a zombie for a running server: it
 * would refuse to start for as long as the machine's first process is slow to reap it.
 */
function forgetTheDead(): void {
  const file = join(given('data'), 'postmaster.pid');
  if (!existsSync(file)) return;
  const pid = Number(readFileSync(file, 'utf8').split('\n')[0]);
  if (identify(pid) === undefined) rmSync(file);
}

function serve(): void {
  const server = spawn(join(given('bin'), 'postgres'), ['-D', given('data')], {
    ...identity,
    cwd: '/',
    stdio: ['ignore', 'inherit', 'inherit'],
  });
  server.once('error', (error) => {
    console.error(error.message);
    process.exitCode = 1;
  });
  server.once('exit', (code, signal) => process.exit(signal === null ? (code ?? 1) : 1));
  process.once('SIGTERM', () => {
    server.kill('SIGINT');
    setTimeout(() => server.kill('SIGQUIT'), QUIT_AFTER_MS).unref();
  });
}
