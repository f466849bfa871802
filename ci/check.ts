/** Everything that is checked without running the tests: types, format, lint, dead code, generated files. */
import { spawn } from 'node:child_process';
import { delimiter, dirname, join } from 'node:path';

const ROOT = dirname(import.meta.dirname);
const STEP_LIMIT_MS = 10 * 60_000;

const STEPS: { name: string; argv: string[] }[] = [
  { name: 'types', argv: ['tsc', '-p', '.', '--noEmit'] },
  { name: 'format', argv: ['biome', 'ci', '--diagnostic-level=warn', '.'] },
  { name: 'lint', argv: ['oxlint'] },
  { name: 'dead code', argv: ['knip'] },
  { name: 'generated files', argv: [process.execPath, 'ci/generate.ts', '--check'] },
];

function runStep(argv: string[]): Promise<boolean> {
  const [program, ...args] = argv;
  const path = [dirname(process.execPath), join(ROOT, 'node_modules', '.bin'), process.env.PATH ?? ''];
  const env = { ...process.env, PATH: path.join(delimiter) };
  return new Promise((resolve, reject) => {
    const child = spawn(program!, args, {
      cwd: ROOT,
      env,
      stdio: ['ignore', 'inherit', 'inherit'],
      timeout: STEP_LIMIT_MS,
    });
    child.once('error', reject);
    child.once('exit', (code) => resolve(code === 0));
  });
}

let failed = 0;
for (const step of STEPS) {
  const started = performance.now();
  const ok = await runStep(step.argv);
  if (!ok) failed++;
  console.log(`${ok ? 'ok    ' : 'FAILED'} ${step.name} (${((performance.now() - started) / 1000).toFixed(1)} s)`);
}
console.log(failed === 0 ? 'all checks hold' : `${failed} of ${STEPS.length} checks failed`);
process.exitCode = failed === 0 ? 0 : 1;
