import { execFileSync, spawnSync } from 'node:child_process';
import { accessSync, constants, existsSync } from 'node:fs';
import { cpus, tmpdir } from 'node:os';
import { styleText } from 'node:util';
import {
  type BinaryName,
  buildK6,
  buildToxiproxy,
  buildVegeta,
  findBinary,
  K6_VERSION,
  TOXIPROXY_VERSION,
  VEGETA_VERSION,
} from '../core/binaries.ts';
import { asHarnessError, messageOf } from '../core/errors.ts';
import { LOAD_DRIVERS, pacingOf, RUNTIMES } from '../registry.ts';
import { stateFolder } from '../run/run-index.ts';
import { EXIT } from './exit.ts';

const DETECT_DEADLINE_MS = 20_000;
const BUILD_DEADLINE_MS = 300_000;
const DESCRIPTORS_WANTED = 4096;
const CORES_WANTED = 2;

interface Diagnosis {
  name: string;
  /** `need`: without it nothing runs; `want`: some plans or commands need it. */
  level: 'ok' | 'want' | 'need';
  found: string;
  mend?: string;
}

/** `seawall doctor [--fix]`: what this machine can do. Exit 4 only when no plan at all could run here. */
export async function doctorCommand({ fix }: { fix?: boolean }): Promise<number> {
  if (fix === true) await buildMissing();
  const rows = [
    node(),
    cores(),
    descriptors(),
    temporary(),
    state(),
    ...(await runtimes()),
    toxiproxy(),
    await k6(),
    chromium(),
    platform(),
  ];
  for (const row of rows) process.stdout.write(describe(row));
  const broken = rows.filter((row) => row.level === 'need').length;
  const wanted = rows.filter((row) => row.level === 'want').length;
  process.stdout.write(
    `\n${rows.length - broken - wanted} well, ${wanted} missing for some uses, ${broken} in the way\n`,
  );
  return broken > 0 ? EXIT.harness : EXIT.pass;
}

function describe({ name, level, found, mend }: Diagnosis): string {
  const mark = { ok: styleText('green', '✓'), want: styleText('yellow', '○'), need: styleText('red', '✗') }[level];
  return `${mark} ${name.padEnd(18)} ${found}\n${mend === undefined ? '' : `  ${' '.repeat(18)} → ${mend}\n`}`;
}

async function buildMissing(): Promise<void> {
  await buildUnlessThere('toxiproxy', `toxiproxy-server ${TOXIPROXY_VERSION}`, buildToxiproxy);
  await buildUnlessThere('k6', `k6 ${K6_VERSION} (this takes a minute or two)`, buildK6);
  await buildUnlessThere('vegeta', `vegeta ${VEGETA_VERSION} (only npm run bench:load uses it)`, buildVegeta);
}

async function buildUnlessThere(
  name: BinaryName,
  what: string,
  build: (signal: AbortSignal) => Promise<string>,
): Promise<void> {
  const known = findBinary(name);
  if (known !== undefined && isUsable(name, known.version))
    return void process.stdout.write(`${name} ${known.version} is there already: ${known.path}\n`);
  process.stdout.write(`building ${what} with Go…\n`);
  const path = await build(AbortSignal.timeout(BUILD_DEADLINE_MS));
  process.stdout.write(`built ${path}\n`);
}

/** Seawall drives k6 2.x; an older one is as good as none. */
function isUsable(name: BinaryName, version: string): boolean {
  return name !== 'k6' || version.startsWith('2.');
}

function node(): Diagnosis {
  return { name: 'Node', level: 'ok', found: `${process.versions.node} at ${process.execPath}` };
}

function cores(): Diagnosis {
  const count = cpus().length;
  const pacing = pacingOf(1);
  const found = `${count} cores; load, proxies and a local stack share them; sends are paced by ${pacing}`;
  if (count >= CORES_WANTED) return { name: 'cores', level: 'ok', found };
  return {
    name: 'cores',
    level: 'want',
    found,
    mend: 'Lower the rates with --set peak=…: one core starves the generator.',
  };
}

function descriptors(): Diagnosis {
  const asked = spawnSync('sh', ['-c', 'ulimit -n'], { encoding: 'utf8' }).stdout?.trim() ?? '';
  const limit = asked === 'unlimited' ? Number.POSITIVE_INFINITY : Number(asked);
  if (limit >= DESCRIPTORS_WANTED) return { name: 'open files', level: 'ok', found: `${asked} a process` };
  return { name: 'open files', level: 'want', found: `${asked} a process`, mend: `ulimit -n ${DESCRIPTORS_WANTED}` };
}

function temporary(): Diagnosis {
  return writable('temporary folder', tmpdir(), 'Set TMPDIR to a folder that can be written.');
}

function state(): Diagnosis {
  const folder = stateFolder();
  if (!existsSync(folder)) return { name: 'state folder', level: 'ok', found: `${folder} (made by the first run)` };
  return writable('state folder', folder, 'Set XDG_STATE_HOME to a folder that can be written.');
}

function writable(name: string, folder: string, mend: string): Diagnosis {
  try {
    accessSync(folder, constants.W_OK);
    return { name, level: 'ok', found: folder };
  } catch (thrown) {
    return { name, level: 'need', found: messageOf(thrown), mend };
  }
}

async function runtimes(): Promise<Diagnosis[]> {
  const detect = async (name: string): Promise<Diagnosis> => {
    const runtime = RUNTIMES.find((candidate) => candidate.name === name)!;
    const detected = await runtime.detect(AbortSignal.timeout(DETECT_DEADLINE_MS));
    if (!detected.ok) return { name: `runtime ${name}`, level: 'want', found: detected.reason, mend: detected.hint };
    const { versions, proxy } = detected.capabilities;
    const known = Object.entries(versions).map(([what, version]) => `${what} ${version}`);
    if (proxy !== undefined) known.push(`proxy ${proxy.engine} ${proxy.version}`);
    return { name: `runtime ${name}`, level: 'ok', found: known.length === 0 ? 'ready' : known.join(', ') };
  };
  return Promise.all(RUNTIMES.map((runtime) => detect(runtime.name)));
}

function toxiproxy(): Diagnosis {
  const mend = hasGo() ? 'seawall doctor --fix builds it with Go' : 'Install Go, then: seawall doctor --fix';
  return program('Toxiproxy', () => findBinary('toxiproxy'), 'not here; our own proxy does without', mend);
}

async function k6(): Promise<Diagnosis> {
  const driver = LOAD_DRIVERS.find(({ name }) => name === 'k6')!;
  const support = await driver.detect(AbortSignal.timeout(DETECT_DEADLINE_MS));
  if (support.ok) return { name: 'k6', level: 'ok', found: support.note ?? 'ready' };
  const mend = hasGo() ? support.hint : `Install Go first. ${support.hint}`;
  return { name: 'k6', level: 'want', found: `${support.reason}; the native engine does without`, mend };
}

function program(
  name: string,
  find: () => { path: string; version: string } | undefined,
  missing: string,
  mend: string,
): Diagnosis {
  try {
    const found = find();
    if (found !== undefined) return { name, level: 'ok', found: `${found.version} at ${found.path}` };
    return { name, level: 'want', found: missing, mend };
  } catch (thrown) {
    const error = asHarnessError(thrown);
    return { name, level: 'want', found: error.message, mend: error.hint };
  }
}

function chromium(): Diagnosis {
  const found = ['/usr/bin/chromium', '/usr/bin/google-chrome'].find(existsSync);
  if (found !== undefined) return { name: 'browser', level: 'ok', found };
  return {
    name: 'browser',
    level: 'want',
    found: 'no Chromium; only the tests of the report need it',
    mend: 'apt-get install chromium',
  };
}

function platform(): Diagnosis {
  if (process.platform !== 'win32')
    return { name: 'platform', level: 'ok', found: `${process.platform} ${process.arch}` };
  return { name: 'platform', level: 'need', found: 'Windows', mend: 'Run Seawall inside WSL2.' };
}

function hasGo(): boolean {
  try {
    execFileSync('go', ['version'], { stdio: 'ignore' });
    return true;
  } catch {
    // No Go: the mend says so.
    return false;
  }
}
