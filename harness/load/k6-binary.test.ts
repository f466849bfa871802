import { chmodSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, it } from 'vitest';
import { findK6 } from './k6-binary.ts';

const folder = mkdtempSync(join(tmpdir(), 'seawall-k6-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

function fake(where: string, says: string): string {
  const bin = join(folder, where);
  mkdirSync(bin, { recursive: true });
  writeFileSync(join(bin, 'k6'), `#!/bin/sh\necho '${says}'\n`);
  chmodSync(join(bin, 'k6'), 0o755);
  return bin;
}

const old = fake('old', 'k6 v0.49.0 (commit/deadbeef, go1.21.6, linux/amd64)');
const last = fake('one', 'k6 v1.4.0 (go1.25.0, linux/amd64)');
const next = fake('next', 'k6 v3.0.0 (go1.28.0, linux/amd64)');
const good = fake('cache/bin', 'k6 v2.1.0 (go1.26.0, linux/amd64)');
const none = { PATH: '', SEAWALL_CACHE: join(folder, 'nothing') };

it.each([
  [old, '0.49.0'],
  [last, '1.4.0'],
  [next, '3.0.0'],
])('refuses %s and says what it is', (bin, version) => {
  expect(() => findK6({ ...none, SEAWALL_K6: join(bin, 'k6') })).toThrow(
    `${join(bin, 'k6')} is k6 ${version}, and Seawall drives k6 2.x`,
  );
});

it('takes the one in the cache where that on PATH is too old, but never instead of one that is named', () => {
  const env = { PATH: old, SEAWALL_CACHE: join(folder, 'cache') };
  expect(findK6(env)).toEqual({ path: join(good, 'k6'), version: '2.1.0', from: 'cache' });
  expect(() => findK6({ ...env, SEAWALL_K6: join(old, 'k6') })).toThrow('0.49.0');
});

it('says how to get one where there is none', () => {
  expect(() => findK6(none)).toThrowError(
    expect.objectContaining({ code: 'BINARY_MISSING', hint: expect.stringContaining('doctor --fix') }),
  );
});
