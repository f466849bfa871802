import { writeFileSync } from 'node:fs';
import { relative } from 'node:path';
import type { Reporter, SerializedError, TestModule } from 'vitest/node';

/** What one vitest project came to; written as JSON to the file that `SEAWALL_TEST_RESULTS` names. */
export interface ProjectResults {
  passed: number;
  failed: number;
  skipped: { test: string; reason: string | undefined }[];
  /** Files that broke before or beside their tests, and errors that belong to none. */
  crashes: string[];
}

export const RESULTS_VARIABLE = 'SEAWALL_TEST_RESULTS';

/** A vitest reporter that counts, and keeps the reason of every skip, which vitest's own JSON leaves out. */
export default class ResultsReporter implements Reporter {
  onTestRunEnd(modules: readonly TestModule[], errors: readonly SerializedError[]): void {
    const file = process.env[RESULTS_VARIABLE];
    if (file === undefined) throw new Error(`${RESULTS_VARIABLE} names no file`);
    writeFileSync(file, JSON.stringify(countResults(modules, errors)));
  }
}

function countResults(modules: readonly TestModule[], errors: readonly SerializedError[]): ProjectResults {
  const results: ProjectResults = { passed: 0, failed: 0, skipped: [], crashes: [] };
  for (const module of modules) {
    const name = relative(process.cwd(), module.moduleId);
    for (const error of module.errors()) results.crashes.push(`${name}: ${error.message}`);
    for (const suite of module.children.allSuites()) {
      for (const error of suite.errors()) results.crashes.push(`${name} > ${suite.fullName}: ${error.message}`);
    }
    for (const test of module.children.allTests()) {
      const result = test.result();
      if (result.state === 'passed') results.passed++;
      else if (result.state === 'skipped')
        results.skipped.push({ test: `${name} > ${test.fullName}`, reason: result.note });
      // A test that has not ended when the run has is no success.
      else results.failed++;
    }
  }
  for (const error of errors) results.crashes.push(error.message);
  return results;
}
