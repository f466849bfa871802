import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { filesBelow, packageFiles, packagesImportedBy } from './image-inputs.ts';

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'seawall-inputs-'));
});
afterEach(() => {
  rmSync(folder, { recursive: true, force: true });
});

function write(files: Record<string, string>): void {
  for (const [path, text] of Object.entries(files)) {
    mkdirSync(dirname(join(folder, path)), { recursive: true });
    writeFileSync(join(folder, path), text);
  }
}

const lock = (packages: Record<string, { dependencies?: Record<string, string> }>) => JSON.stringify({ packages });

test('finds the packages that sources import, and no built-ins', () => {
  write({
    'a.ts':
      "import { createServer } from 'node:http';\nimport {\n  Pool,\n} from 'pg';\nimport type { X } from './in/b.ts';\n",
    'in/b.ts': "export { y } from '@scope/name/deep';\nexport type X = 1;\n",
  });
  expect(packagesImportedBy(filesBelow(folder, 'app'))).toEqual(['@scope/name', 'pg']);
});

test('refuses a source that reaches outside what is packed', () => {
  write({ 'a.ts': "import { x } from '../harness/x.ts';\n" });
  expect(() => packagesImportedBy(filesBelow(folder, 'app'))).toThrow(
    expect.objectContaining({ code: 'IMAGE_MISSING', message: expect.stringContaining('../harness/x.ts') }),
  );
});

test('packs what packages depend on, nested versions in their place, and nothing else', () => {
  write({
    'package-lock.json': lock({
      'node_modules/a': { dependencies: { b: '1', c: '1' } },
      'node_modules/a/node_modules/b': { dependencies: { c: '1' } },
      'node_modules/b': {},
      'node_modules/c': { dependencies: { gone: '1' } },
      'node_modules/gone': {},
    }),
    'node_modules/a/index.js': '',
    'node_modules/a/node_modules/b/index.js': '',
    'node_modules/b/index.js': '',
    'node_modules/c/lib/index.js': '',
  });
  expect(packageFiles(folder, ['a'], 'out').map((file) => file.to)).toEqual([
    'out/a/index.js',
    'out/a/node_modules/b/index.js',
    'out/c/lib/index.js',
  ]);
});
