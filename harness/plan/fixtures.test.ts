import { globSync, readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { describe, expect, it } from 'vitest';
import { CATALOGUE } from '../../tests/support/plan-catalogue.ts';
import { formatIssue, type Issue } from './issue.ts';
import { validatePlan } from './validate.ts';

const FOLDER = resolve(import.meta.dirname, '../../fixtures/plans-invalid');
const files = globSync('*.yaml', { cwd: FOLDER }).toSorted();

function issuesOf(file: string): Issue[] {
  const result = validatePlan(join(FOLDER, file), {}, CATALOGUE);
  return 'issues' in result ? result.issues : [];
}

/** `# expect line:col CODE message | hint` at the head of the file, in order. */
function expected(file: string): string[] {
  return [...readFileSync(join(FOLDER, file), 'utf8').matchAll(/^# expect (.*)$/gm)].map(([, line]) => line!);
}

describe('every plan that is wrong', () => {
  it.each(files)('%s: all of its issues are told at once, with their places', (file) => {
    const found = issuesOf(file).map(
      ({ line, column, code, message, hint }) =>
        `${line}:${column} ${code} ${message}${hint === undefined ? '' : ` | ${hint}`}`,
    );
    expect(found).toEqual(expected(file));
    expect(found.length).toBeGreaterThan(0);
  });

  it('there is one for each kind of mistake', () => {
    expect(files.length).toBeGreaterThanOrEqual(25);
    const codes = new Set(files.flatMap(issuesOf).map(({ code }) => code));
    expect([...codes].toSorted()).toEqual([
      'BLAST_RADIUS',
      'CHECK_UNKNOWN',
      'EDGE_TARGET',
      'FAULTS_OVERLAP',
      'FAULT_BUDGET',
      'FAULT_PAST_END',
      'FAULT_UNKNOWN',
      'FEED_TOO_SHORT',
      'FILE_UNREADABLE',
      'HOST_NOT_ALLOWED',
      'KEY_TWICE',
      'KEY_UNKNOWN',
      'LIMIT',
      'NAME_TWICE',
      'NO_DURATION',
      'REFERENCE_UNKNOWN',
      'SHARES',
      'TARGET',
      'VALUE',
      'VARIABLE_UNKNOWN',
      'YAML',
    ]);
  });
});

describe('formatIssue', () => {
  it('shows the place, the line with a caret under it, what is expected and what was meant', () => {
    const [issue] = issuesOf('unknown-journey.yaml');
    const text = readFileSync(issue!.file, 'utf8');
    expect(formatIssue({ ...issue!, file: 'plan.yaml' }, text).split('\n')).toEqual([
      'plan.yaml:11:12: the stack has no journey "browes" [REFERENCE_UNKNOWN]',
      ' 11 |     mix: { browes: 70%, buy: 30% }',
      '    |            ^',
      '    = expected one of browse, buy',
      '    = did you mean "browse"?',
    ]);
  });

  it('keeps the caret under its place in a line that is too long to show', () => {
    const issue: Issue = { file: 'f', line: 1, column: 500, path: [], code: 'VALUE', message: 'm' };
    const [, line, caret] = formatIssue(issue, `${'x'.repeat(499)}!${'y'.repeat(500)}`).split('\n');
    expect(line!.length).toBeLessThan(200);
    expect(line![caret!.indexOf('^')]).toBe('!');
  });
});
