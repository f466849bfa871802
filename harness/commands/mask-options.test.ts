import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { NO_RULES } from '../load/recording/rule-set.ts';
import { readMaskRules } from './mask-options.ts';
import { PlanIssues } from './plan-options.ts';

const folder = mkdtempSync(join(tmpdir(), 'seawall-mask-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

function file(text: string): string {
  const path = join(folder, 'rules.yaml');
  writeFileSync(path, text);
  return path;
}

describe('a file of mask rules', () => {
  it('says what is private and what is not', () => {
    const text = `
keys: { name: [operator, 经办人], desk: [deskNo] }
patterns: [{ class: employee, matches: 'E[0-9]{6}' }]
keep: { keys: [theme], values: ['help@shop.test'] }
off: [address]
ip: true
`;
    expect(readMaskRules(file(text))).toEqual({
      keys: { name: ['operator', '经办人'], desk: ['deskNo'] },
      patterns: [{ class: 'employee', matches: 'E[0-9]{6}' }],
      keep: { keys: ['theme'], values: ['help@shop.test'] },
      off: ['address'],
      ip: true,
    });
    expect(readMaskRules(file(''))).toEqual(NO_RULES);
    expect(readMaskRules(undefined)).toEqual(NO_RULES);
  });

  it('is refused with all that is wrong at once, with lines, and what was meant', () => {
    const text = `
kees: {}
keys: { Name: [a] }
patterns:
  - { class: employee, matches: '(a+)+(?=b)' }
  - { class: employee, matches: '(' }
  - { class: twice, matches: '(a)\\1' }
off: [adress]
ip: sometimes
`;
    let said = '';
    try {
      readMaskRules(file(text));
    } catch (thrown) {
      if (!(thrown instanceof PlanIssues)) throw thrown;
      said = thrown.text;
    }
    for (const words of [
      'did you mean "keys"?',
      ':5:',
      'cannot be matched in linear time',
      ':6:',
      'no regular expression',
      ':7:',
      'did you mean "address"?',
      'true or false',
    ])
      expect(said).toContain(words);
    expect(said).toMatch(/\n[67] issues\n/);
  });

  it('is as the documentation shows it', () => {
    const page = readFileSync(join(import.meta.dirname, '../../docs/masking.md'), 'utf8');
    const rules = readMaskRules(file(/```yaml\n(.*?)```/s.exec(page)![1]!));
    expect(rules).toMatchObject({ keys: { desk: ['deskNo'] }, off: ['address'], ip: true });
    expect(rules.patterns).toHaveLength(1);
  });

  it('that is not there is an error', () => {
    expect(() => readMaskRules(join(folder, 'none.yaml'))).toThrow(/none\.yaml.*ENOENT/);
  });
});
