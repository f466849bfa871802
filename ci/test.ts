/**
 * Runs the test suites one after the other and adds them up; the last line is `N passed, N failed[, N skipped]`.
 *
 *   node ci/test.ts [unit] [conformance] [stacks] [e2e] [weakness]
 */
import { spawn } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { type ProjectResults, RESULTS_VARIABLE } from './results-reporter.ts';

const ROOT = dirname(import.meta.dirname);
const PROJECTS = ['unit', 'conformance', 'stacks', 'e2e', 'weakness'] as const;
type Project = (typeof PROJECTS)[number];
/** Far above what a suite takes: only a hung one is ended by it. */
const PROJECT_LIMIT_MS = 30 * 60_000;

/** Runs one project in a process of its own. A run that left no results, or hung, counts as one failure. */
async function runProject(project: Project, folder: string): Promise<ProjectResults> {
  const file = join(folder, `${project}.json`);
  const argv = [
    join(ROOT, 'node_modules', 'vitest', 'vitest.mjs'),
    'run',
    '--project',
    project,
    '--reporter=default',
    `--reporter=${join(ROOT, 'ci', 'results-reporter.ts')}`,
  ];
  const env = { ...process.env, [RESULTS_VARIABLE]: file };
  const end = await new Promise<string>((resolve) => {
    const child = spawn(process.execPath, argv, {
      cwd: ROOT,
      env,
      stdio: ['ignore', 'inherit', 'inherit'],
      timeout: PROJECT_LIMIT_MS,
    });
    child.once('error', (thrown) => resolve(thrown.message));
    child.once('exit', (code, signal) => resolve(signal ?? `code ${code}`));
  });
  if (!existsSync(file)) return { passed: 0, failed: 0, skipped: [], crashes: [`vitest left no results (${end})`] };
  const results = JSON.parse(readFileSync(file, 'utf8')) as ProjectResults;
  if (countFailed(results) === 0 && end !== 'code 0') results.crashes.push(`vitest ended with ${end}`);
  if (results.passed + countFailed(results) + results.skipped.length === 0) results.crashes.push('there are no tests');
  return results;
}

/** A skip has to say why: one that does not is a failure. */
function countFailed(results: ProjectResults): number {
  return results.failed + results.crashes.length + results.skipped.filter((skip) => !skip.reason).length;
}

function skippedOf(results: ProjectResults): number {
  return results.skipped.filter((skip) => skip.reason).length;
}

function summaryLine(passed: number, failed: number, skipped: number): string {
  return `${passed} passed, ${failed} failed${skipped === 0 ? '' : `, ${skipped} skipped`}`;
}

function tell(project: Project, results: ProjectResults, ms: number): void {
  const line = summaryLine(results.passed, countFailed(results), skippedOf(results));
  console.log(`\n${project}: ${line} in ${(ms / 1000).toFixed(1)} s`);
  for (const crash of results.crashes) console.log(`  crashed: ${crash}`);
  for (const skip of results.skipped) {
    console.log(
      `  ${skip.reason ? 'skipped' : 'skipped WITHOUT A REASON'}: ${skip.test}: ${skip.reason ?? 'none given'}`,
    );
  }
}

async function main(names: string[]): Promise<number> {
  const unknown = names.filter((name) => !(PROJECTS as readonly string[]).includes(name));
  if (unknown.length > 0) {
    console.error(`no suite named ${unknown.join(', ')}; there are: ${PROJECTS.join(', ')}`);
    return 3;
  }
  const folder = mkdtempSync(join(tmpdir(), 'seawall-test-'));
  const total = { passed: 0, failed: 0, skipped: 0 };
  try {
    for (const project of PROJECTS.filter((name) => names.length === 0 || names.includes(name))) {
      const started = performance.now();
      const results = await runProject(project, folder);
      tell(project, results, performance.now() - started);
      total.passed += results.passed;
      total.failed += countFailed(results);
      total.skipped += skippedOf(results);
    }
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
  console.log(`\n${summaryLine(total.passed, total.failed, total.skipped)}`);
  return total.failed === 0 ? 0 : 1;
}

process.exitCode = await main(process.argv.slice(2));
