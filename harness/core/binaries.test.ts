import { chmodSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { buildK6, buildToxiproxy, cacheFolder, findBinary } from './binaries.ts';

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'seawall-binaries-'));
});
afterEach(() => {
  rmSync(folder, { recursive: true, force: true });
});

/** A program that says a version, whatever it is asked. */
function program(path: string, says: string): string {
  const full = join(folder, path);
  mkdirSync(dirname(full), { recursive: true });
  writeFileSync(full, `#!/bin/sh\necho '${says}'\n`);
  chmodSync(full, 0o755);
  return full;
}

const shell = '/bin';

test('the variable wins over PATH, PATH over the cache', () => {
  const named = program('named', 'toxiproxy-server version 1.0.1');
  const onPath = program('path/toxiproxy-server', 'toxiproxy-server version 1.0.2');
  const cached = program('cache/bin/toxiproxy-server', 'toxiproxy-server version 1.0.3');
  const cache = { SEAWALL_CACHE: join(folder, 'cache') };
  const path = { PATH: `${dirname(onPath)}:${shell}` };
  expect(findBinary('toxiproxy', { ...cache, ...path, SEAWALL_TOXIPROXY: named })).toEqual({
    path: named,
    version: '1.0.1',
    from: 'environment',
  });
  expect(findBinary('toxiproxy', { ...cache, ...path })).toEqual({ path: onPath, version: '1.0.2', from: 'PATH' });
  expect(findBinary('toxiproxy', cache)).toEqual({ path: cached, version: '1.0.3', from: 'cache' });
});

test('nowhere is undefined; a file that may not be executed is no program', () => {
  writeFileSync(join(folder, 'toxiproxy-server'), 'text');
  expect(findBinary('toxiproxy', { PATH: folder, SEAWALL_CACHE: folder })).toBeUndefined();
});

test('a variable that names no program is an error that names both', () => {
  const named = join(folder, 'nothing');
  expect(() => findBinary('toxiproxy', { SEAWALL_TOXIPROXY: named })).toThrow(
    expect.objectContaining({ code: 'BINARY_MISSING', message: expect.stringContaining(named) }),
  );
});

test("npm's stub named k6 is not taken for k6", () => {
  const stub = program('node_modules/.bin/k6', 'k6 v0.0.0');
  const real = program('real/k6', 'k6 v2.1.0 (go1.26)');
  const none = { SEAWALL_CACHE: folder };
  expect(findBinary('k6', { ...none, PATH: dirname(stub) })).toBeUndefined();
  expect(findBinary('k6', { ...none, PATH: `${dirname(stub)}:${dirname(real)}` })?.path).toBe(real);
});

test('the cache follows SEAWALL_CACHE, then XDG_CACHE_HOME', () => {
  expect(cacheFolder({ SEAWALL_CACHE: '/a', XDG_CACHE_HOME: '/b' })).toBe('/a');
  expect(cacheFolder({ XDG_CACHE_HOME: '/b' })).toBe('/b/seawall');
});

test('without Go the build says that Go is missing, and a failing Go is quoted', async () => {
  const env = { SEAWALL_CACHE: join(folder, 'cache'), PATH: join(folder, 'empty') };
  await expect(buildToxiproxy(AbortSignal.timeout(5_000), env)).rejects.toMatchObject({
    code: 'BINARY_MISSING',
    message: expect.stringContaining('no Go on PATH'),
  });
  const go = program('go/go', 'building');
  writeFileSync(go, '#!/bin/sh\necho "no such module" >&2\nexit 1\n');
  await expect(
    buildToxiproxy(AbortSignal.timeout(5_000), { ...env, PATH: `${dirname(go)}:${shell}` }),
  ).rejects.toMatchObject({ code: 'BINARY_MISSING', message: expect.stringContaining('no such module') });
});

test('a build lands in the cache as a whole', async () => {
  const go = program('go/go', '');
  writeFileSync(
    go,
    '#!/bin/sh\nprintf "#!/bin/sh\\necho version 2.12.0\\n" > "$GOBIN/server"\nchmod +x "$GOBIN/server"\n',
  );
  const env = { SEAWALL_CACHE: join(folder, 'cache'), PATH: `${dirname(go)}:${shell}` };
  const path = await buildToxiproxy(AbortSignal.timeout(5_000), env);
  expect(findBinary('toxiproxy', env)).toEqual({ path, version: '2.12.0', from: 'cache' });
});

test('k6 is built as a dependency of an empty module, at its pinned version, and lands in the cache', async () => {
  const go = program('go/go', '');
  const told = join(folder, 'told');
  const build = 'case "$1" in build) printf "#!/bin/sh\\necho k6 v2.1.0\\n" > k6; chmod +x k6;; esac';
  writeFileSync(
    go,
    `#!/bin/sh\necho "$GOFLAGS $(ls | wc -l) $@" >> ${told}\n[ "$1" = mod ] && touch go.mod\n${build}\n`,
  );
  const env = { SEAWALL_CACHE: join(folder, 'cache'), PATH: `${dirname(go)}:${shell}` };
  const path = await buildK6(AbortSignal.timeout(5_000), env);
  expect(findBinary('k6', env)).toEqual({ path, version: '2.1.0', from: 'cache' });
  expect(readFileSync(told, 'utf8').split('\n').slice(0, 3)).toEqual([
    '-mod=mod 0 mod init seawall-k6',
    '-mod=mod 1 get go.k6.io/k6/v2@v2.1.0',
    '-mod=mod 1 build -trimpath -ldflags -s -w -o k6 go.k6.io/k6/v2',
  ]);
});
