import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { fileLines } from './file-lines.ts';

let folder = '';
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'file-lines-'));
});
afterAll(() => rmSync(folder, { recursive: true }));

function linesOf(text: string): string[] {
  const file = join(folder, 'text');
  writeFileSync(file, text);
  return [...fileLines(file)];
}

it('gives the lines of a file, and no empty one for the end of the last', () => {
  expect(linesOf('')).toEqual([]);
  expect(linesOf('one\n\nthree\n')).toEqual(['one', '', 'three']);
  expect(linesOf('one\ntwo')).toEqual(['one', 'two']);
});

it('keeps lines and characters whole that lie across two pieces', () => {
  const long = ['ä'.repeat(200_000), '€'.repeat(150_001), 'x'];
  expect(linesOf(`${long.join('\n')}\n`)).toEqual(long);
});
