import { execFile, spawnSync } from 'node:child_process';
import { accessSync, constants, mkdirSync, mkdtempSync, renameSync, rmSync, statSync } from 'node:fs';
import { homedir, tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import { HarnessError, messageOf } from './errors.ts';

/** Programs that Seawall can use and does not bring: each is looked for, never downloaded as a side effect. */
export type BinaryName = 'toxiproxy' | 'k6' | 'vegeta';

export interface FoundBinary {
  /** Absolute. */
  path: string;
  /** As the program tells it, e.g. `2.12.0`; `unknown` when it tells none. */
  version: string;
  from: 'environment' | 'PATH' | 'cache';
}

interface BinaryFacts {
  variable: string;
  program: string;
  versionArgs: string[];
}

const FACTS: Record<BinaryName, BinaryFacts> = {
  toxiproxy: { variable: 'SEAWALL_TOXIPROXY', program: 'toxiproxy-server', versionArgs: ['-version'] },
  k6: { variable: 'SEAWALL_K6', program: 'k6', versionArgs: ['version'] },
  vegeta: { variable: 'SEAWALL_VEGETA', program: 'vegeta', versionArgs: ['-version'] },
};

export const TOXIPROXY_VERSION = '2.12.0';
const TOXIPROXY_MODULE = 'github.com/Shopify/toxiproxy/v2';
export const K6_VERSION = '2.1.0';
const K6_MODULE = 'go.k6.io/k6/v2';
export const VEGETA_VERSION = '12.13.0';
const VEGETA_MODULE = 'github.com/tsenart/vegeta/v12';
const VERSION_TIMEOUT_MS = 5_000;
const BUILD_TIMEOUT_MS = 300_000;

/** Where programs and images' inputs are kept between runs: `$SEAWALL_CACHE`, else `seawall` in the user's cache. */
export function cacheFolder(env: NodeJS.ProcessEnv = process.env): string {
  if (env.SEAWALL_CACHE) return env.SEAWALL_CACHE;
  return join(env.XDG_CACHE_HOME || join(homedir(), '.cache'), 'seawall');
}

/** Where our own programs and the stacks' Node services keep what was compiled of them; ci/bootstrap.mjs names it, too. */
export function compileCache(): { NODE_COMPILE_CACHE: string } {
  return { NODE_COMPILE_CACHE: join(cacheFolder(), 'compile') };
}

/**
 * Looks for a program: the variable that names it, then PATH, then the cache. Undefined when it is nowhere. Throws
 * BINARY_MISSING when the variable is set and names no program: what a user asks for by name is never replaced silently.
 */
export function findBinary(name: BinaryName, env: NodeJS.ProcessEnv = process.env): FoundBinary | undefined {
  const facts = FACTS[name];
  const named = env[facts.variable];
  if (named) {
    if (isProgram(named)) return found(named, facts, 'environment');
    throw new HarnessError(
      'BINARY_MISSING',
      `${facts.variable} names ${named}, which is no program`,
      `Point it at a ${facts.program} that may be executed, or unset it.`,
    );
  }
  const onPath = (env.PATH ?? '')
    .split(delimiter)
    .filter((folder) => folder !== '')
    .map((folder) => join(folder, facts.program))
    // npm's `k6` package is an editor stub, and what lies in a node_modules/.bin is never the real program.
    .find((path) => !path.includes(join('node_modules', '.bin')) && isProgram(path));
  if (onPath !== undefined) return found(onPath, facts, 'PATH');
  const cached = cachedPath(name, env);
  return isProgram(cached) ? found(cached, facts, 'cache') : undefined;
}

/**
 * Builds Toxiproxy with Go into the cache, statically linked so that it runs in any image too. Returns its path.
 * Throws BINARY_MISSING when there is no Go or the build fails. Only `doctor --fix` and the CI helpers call this.
 */
export async function buildToxiproxy(signal: AbortSignal, env: NodeJS.ProcessEnv = process.env): Promise<string> {
  const target = cachedPath('toxiproxy', env);
  const scratch = mkdtempSync(join(tmpdir(), 'seawall-go-'));
  try {
    const linker = `-s -w -X ${TOXIPROXY_MODULE}.Version=${TOXIPROXY_VERSION}`;
    const source = `${TOXIPROXY_MODULE}/cmd/server@v${TOXIPROXY_VERSION}`;
    await runGo('toxiproxy', ['install', '-ldflags', linker, source], {
      env: { ...env, CGO_ENABLED: '0', GOBIN: scratch },
      signal,
    });
    mkdirSync(join(cacheFolder(env), 'bin'), { recursive: true });
    moveInto(join(scratch, 'server'), target);
    return target;
  } finally {
    rmSync(scratch, { recursive: true, force: true });
  }
}

/**
 * Builds k6 with Go into the cache; its manifest has replacements, so it is built as a dependency of an empty module.
 * Returns its path. Throws BINARY_MISSING when there is no Go or the build fails. Only `doctor --fix` calls this.
 */
export async function buildK6(signal: AbortSignal, env: NodeJS.ProcessEnv = process.env): Promise<string> {
  const target = cachedPath('k6', env);
  const scratch = mkdtempSync(join(tmpdir(), 'seawall-go-'));
  try {
    const options = { env: { ...env, CGO_ENABLED: '0', GOFLAGS: '-mod=mod' }, cwd: scratch, signal };
    await runGo('k6', ['mod', 'init', 'seawall-k6'], options);
    await runGo('k6', ['get', `${K6_MODULE}@v${K6_VERSION}`], options);
    await runGo('k6', ['build', '-trimpath', '-ldflags', '-s -w', '-o', 'k6', K6_MODULE], options);
    mkdirSync(join(cacheFolder(env), 'bin'), { recursive: true });
    moveInto(join(scratch, 'k6'), target);
    return target;
  } finally {
    rmSync(scratch, { recursive: true, force: true });
  }
}

/**
 * Builds vegeta, a peer that `bench:load` measures against, like k6; its version is required by hand, since not every Go
 * proxy lists its versions. Returns its path. Throws BINARY_MISSING as `buildK6` does.
 */
export async function buildVegeta(signal: AbortSignal, env: NodeJS.ProcessEnv = process.env): Promise<string> {
  const target = cachedPath('vegeta', env);
  const scratch = mkdtempSync(join(tmpdir(), 'seawall-go-'));
  try {
    const options = { env: { ...env, CGO_ENABLED: '0', GOFLAGS: '-mod=mod' }, cwd: scratch, signal };
    const linker = `-s -w -X main.Version=${VEGETA_VERSION}`;
    await runGo('vegeta', ['mod', 'init', 'seawall-vegeta'], options);
    await runGo('vegeta', ['mod', 'edit', `-require=${VEGETA_MODULE}@v${VEGETA_VERSION}`], options);
    await runGo('vegeta', ['build', '-trimpath', '-ldflags', linker, '-o', 'vegeta', VEGETA_MODULE], options);
    mkdirSync(join(cacheFolder(env), 'bin'), { recursive: true });
    moveInto(join(scratch, 'vegeta'), target);
    return target;
  } finally {
    rmSync(scratch, { recursive: true, force: true });
  }
}

/** The cache may lie on another file system: copy beside the target, then rename, so that nobody sees half a program. */
function moveInto(from: string, target: string): void {
  const part = `${target}.${process.pid}.part`;
  const copied = spawnSync('cp', [from, part], { encoding: 'utf8' });
  if (copied.status !== 0) {
    throw new HarnessError('DISK_FULL', `could not write ${part}: ${copied.stderr.trim()}`, 'Make room in the cache.');
  }
  renameSync(part, target);
}

/** What is built with Go, in words. */
const BUILT: Record<BinaryName, { name: string; version: string }> = {
  toxiproxy: { name: 'Toxiproxy', version: TOXIPROXY_VERSION },
  k6: { name: 'k6', version: K6_VERSION },
  vegeta: { name: 'vegeta', version: VEGETA_VERSION },
};

function runGo(
  what: BinaryName,
  args: string[],
  { env, cwd, signal }: { env: NodeJS.ProcessEnv; cwd?: string; signal: AbortSignal },
): Promise<void> {
  return new Promise((resolve, reject) => {
    const limits = { timeout: BUILD_TIMEOUT_MS, maxBuffer: 16 * 1024 * 1024 };
    execFile(
      'go',
      args,
      { env, signal, ...limits, ...(cwd === undefined ? {} : { cwd }) },
      (failure, _stdout, stderr) => {
        if (failure === null) return resolve();
        const missing = (failure as NodeJS.ErrnoException).code === 'ENOENT';
        const said = stderr.trim().split('\n').at(-1) ?? '';
        const { name, version } = BUILT[what];
        const { program, variable } = FACTS[what];
        reject(
          new HarnessError(
            'BINARY_MISSING',
            missing ? `${name} is built with Go, and there is no Go on PATH` : `go could not build ${name}: ${said}`,
            `Install ${missing ? 'Go 1.23 or newer' : `${program} ${version} by hand`}, or point ${variable} at one.`,
            failure,
          ),
        );
      },
    );
  });
}

function cachedPath(name: BinaryName, env: NodeJS.ProcessEnv): string {
  return join(cacheFolder(env), 'bin', FACTS[name].program);
}

/** Whether a path is a file that can be run. */
export function isProgram(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return statSync(path).isFile();
  } catch {
    // Not there or not executable: either way no program for us.
    return false;
  }
}

function found(path: string, facts: BinaryFacts, from: FoundBinary['from']): FoundBinary {
  const asked = spawnSync(path, facts.versionArgs, { encoding: 'utf8', timeout: VERSION_TIMEOUT_MS });
  if (asked.error !== undefined) {
    throw new HarnessError(
      'BINARY_MISSING',
      `${path} does not run: ${messageOf(asked.error)}`,
      `Replace it or point ${facts.variable} at a ${facts.program} that does.`,
      asked.error,
    );
  }
  const version = /\d+\.\d+\.\d+\S*/.exec(`${asked.stdout}${asked.stderr}`)?.[0] ?? 'unknown';
  return { path, version, from };
}
