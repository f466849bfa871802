import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { commandLine } from './command-line.ts';

let folder: string;

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'command-line-'));
  mkdirSync(join(folder, 'node_modules/p'), { recursive: true });
  for (const file of ['a.ts', 'emitted.js', 'node_modules/p/b.ts']) writeFileSync(join(folder, file), '');
});
afterAll(() => rmSync(folder, { recursive: true }));

it('takes our own node, absolute scripts and quoted words', () => {
  expect(commandLine(`node ./a.ts --name="x y" 'p q' plain`, folder)).toEqual([
    ...[process.execPath, join(folder, 'a.ts'), '--name=x y', 'p q', 'plain'],
  ]);
});

it('leaves other programs alone and finds those beside the stack', () => {
  expect(commandLine('nginx -g off', folder)).toEqual(['nginx', '-g', 'off']);
  expect(commandLine('./serve', folder)).toEqual([join(folder, 'serve')]);
});

it('takes the emitted script where the source is not there', () => {
  expect(commandLine('node emitted.ts', folder)[1]).toBe(join(folder, 'emitted.js'));
});

it.each([
  ['node gone.ts', 'FILE_UNREADABLE', /no .*gone\.ts/],
  ['node node_modules/p/b.ts', 'RUNTIME_UNSUPPORTED', /node_modules/],
  ['  ', 'PLAN_INVALID', /empty/],
])('refuses %j', (line, code, message) => {
  expect(() => commandLine(line, folder)).toThrow(
    expect.objectContaining({ code, message: expect.stringMatching(message) }),
  );
});
