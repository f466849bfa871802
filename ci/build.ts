/** Makes `dist`, what the package carries: JavaScript with types, and beside it the files that are not TypeScript. */
import { chmodSync, copyFileSync, globSync, mkdirSync, readFileSync, rmSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { must } from './run-command.ts';

const ROOT = dirname(import.meta.dirname);
const DIST = join(ROOT, 'dist');
const BUILD_LIMIT_MS = 5 * 60_000;

/** What the emitted code and the shipped plans read at run time. */
const ASSETS = [
  'plans/*.yaml',
  'plans/plan.schema.json',
  'fixtures/stacks/**/*',
  'fixtures/services/**/*.{sql,mjs}',
  'fixtures/images/**/*',
  '{harness,reports}/**/*.{css,html}',
];

async function build(): Promise<void> {
  rmSync(DIST, { recursive: true, force: true });
  const compiler = join(ROOT, 'node_modules', '.bin', 'tsc');
  await must(compiler, ['-p', 'tsconfig.build.json'], { cwd: ROOT, timeoutMs: BUILD_LIMIT_MS });
  for (const path of assets()) {
    mkdirSync(dirname(join(DIST, path)), { recursive: true });
    copyFileSync(join(ROOT, path), join(DIST, path));
  }
  const cli = join(DIST, 'harness', 'cli.js');
  if (!readFileSync(cli, 'utf8').startsWith('#!/usr/bin/env node\n')) {
    throw new Error('harness/cli.ts does not open with #!/usr/bin/env node: the installed command would not start');
  }
  chmodSync(cli, 0o755);
}

function assets(): string[] {
  return ASSETS.flatMap((pattern) => {
    const paths = globSync(pattern, { cwd: ROOT, withFileTypes: true })
      .filter((entry) => entry.isFile() && !entry.name.endsWith('.ts'))
      .map((entry) => join(entry.parentPath, entry.name).slice(ROOT.length + 1));
    // Output of runs lies in reports/out and is nobody's asset.
    return paths.filter((path) => !path.startsWith(join('reports', 'out')));
  });
}

await build();
