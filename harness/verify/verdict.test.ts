import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Verdict } from '../spi/check.ts';
import { exitCode, mergeVerdicts } from './verdict.ts';

const finding = fc.record({
  verdict: fc.constantFrom<Verdict>('pass', 'fail', 'unknown'),
  advisory: fc.boolean(),
});
const findings = fc.array(finding, { maxLength: 12 });

describe('mergeVerdicts', () => {
  it('does not look at the order', () => {
    fc.assert(
      fc.property(findings, fc.nat(), (all, turn) => {
        const at = all.length === 0 ? 0 : turn % all.length;
        expect(mergeVerdicts([...all.slice(at), ...all.slice(0, at)])).toBe(mergeVerdicts(all));
      }),
    );
  });

  it('never gets better by one more failure, nor changes by an advisory', () => {
    fc.assert(
      fc.property(findings, finding, (all, more) => {
        expect(mergeVerdicts([...all, { verdict: 'fail', advisory: false }])).toBe('fail');
        expect(mergeVerdicts([...all, { ...more, advisory: true }])).toBe(mergeVerdicts(all));
      }),
    );
  });

  it('merges in parts as in whole, where both parts count', () => {
    fc.assert(
      fc.property(findings, findings, (a, b) => {
        fc.pre(a.some((one) => !one.advisory) && b.some((one) => !one.advisory));
        const parts = [a, b].map((part) => ({ verdict: mergeVerdicts(part), advisory: false }));
        expect(mergeVerdicts(parts)).toBe(mergeVerdicts([...a, ...b]));
      }),
    );
  });

  it('is unknown without evidence', () => {
    expect(mergeVerdicts([])).toBe('unknown');
    expect(mergeVerdicts([{ verdict: 'pass', advisory: true }])).toBe('unknown');
    expect(mergeVerdicts([{ verdict: 'pass', advisory: false }])).toBe('pass');
  });
});

describe('exitCode', () => {
  const passed = { verdict: 'pass', outcome: 'completed', leftovers: [], errorCode: undefined } as const;

  it.each([
    [{}, 0],
    [{ verdict: 'fail' as const }, 1],
    [{ verdict: 'unknown' as const }, 2],
    [{ verdict: 'fail' as const, outcome: 'aborted' as const }, 1],
    [{ errorCode: 'PLAN_INVALID' }, 3],
    [{ errorCode: 'PLAN_INVALID', outcome: 'failed' as const }, 3],
    [{ errorCode: 'NODE_DIED', verdict: 'fail' as const }, 4],
    [{ outcome: 'failed' as const }, 4],
    [{ outcome: 'interrupted' as const, errorCode: 'NODE_DIED' }, 130],
    [{ outcome: 'interrupted' as const, leftovers: ['a proxy'] }, 5],
    [{ leftovers: ['a proxy'], errorCode: 'USAGE' }, 5],
  ])('%j gives %d', (changes, expected) => {
    expect(exitCode({ ...passed, ...changes })).toBe(expected);
  });
});
