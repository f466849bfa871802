import { describe, expect, it } from 'vitest';
import { journalFixture } from '../../tests/support/journal-fixture.ts';
import type { Check, Finding } from '../spi/check.ts';
import type { JournalBody } from '../spi/journal.ts';
import { integrity } from './integrity.ts';
import { isolation } from './isolation.ts';
import { parseJournal } from './view.ts';

const MONEY = {
  type: 'audit.invariant',
  name: 'money-conserved',
  expect: 'equal',
  values: [
    { store: 'account-db', value: '1200' },
    { store: 'trade-db', value: '1200' },
  ],
  holds: true,
} as const;
const MARKER = {
  type: 'audit.marker',
  store: 'trade-db',
  realLeaks: 0,
  shadowLeaks: 0,
  realRows: [] as string[],
  shadowRows: [] as string[],
  shadowSeen: 310,
} as const;
const TRIPPED = { type: 'guard.tripped', rule: 'r', of: 'sale', bad: 9, total: 9, because: '9 of 9' } as const;

function judge<P>(check: Check<P>, params: P, audits: unknown[], cut = false): Finding[] {
  const lines = journalFixture({
    seconds: 5,
    scenarios: [{ name: 'sale', rates: { pay: 5 }, shadow: true }],
    audits: audits as JournalBody[],
    ...(cut ? { cutAfterSeconds: 3, during: [{ atMs: 3000, body: TRIPPED }] } : {}),
  });
  return check.evaluate(parseJournal(lines), params);
}

describe('integrity', () => {
  const asked = { invariant: 'money-conserved' };

  it('passes on what was counted', () => {
    const [finding] = judge(integrity, asked, [MONEY]);
    expect(finding).toMatchObject({ verdict: 'pass', basis: 'trials', evidence: [expect.any(Number)] });
    expect(finding!.because).toContain('1200 in account-db and 1200 in trade-db');
  });

  it('fails when it does not hold, also in a run that was cut short', () => {
    const broken = { ...MONEY, holds: false, values: [MONEY.values[0], { store: 'trade-db', value: '1190' }] };
    expect(judge(integrity, asked, [broken])).toMatchObject([{ verdict: 'fail' }]);
    expect(judge(integrity, asked, [broken], true)).toMatchObject([{ verdict: 'fail' }]);
  });

  it('is unknown when nobody looked, the look failed, or the run was cut short', () => {
    expect(judge(integrity, asked, [])).toMatchObject([{ verdict: 'unknown' }]);
    const failed = judge(integrity, asked, [
      { type: 'audit.failed', what: 'invariant money-conserved', message: 'no primary' },
    ]);
    expect(failed).toMatchObject([{ verdict: 'unknown', because: 'money-conserved was not looked at: no primary.' }]);
    expect(judge(integrity, asked, [{ ...MONEY, because: 'two answers' }])).toMatchObject([{ verdict: 'unknown' }]);
    expect(judge(integrity, asked, [MONEY], true)).toMatchObject([{ verdict: 'unknown' }]);
  });
});

describe('isolation', () => {
  const asked = { leaks: 0 };

  it('passes store by store when shadow writes arrived and none leaked', () => {
    const findings = judge(isolation, asked, [MARKER, { ...MARKER, store: 'account-db' }]);
    expect(findings.map(({ scope, verdict }) => [scope, verdict])).toEqual([
      ['trade-db', 'pass'],
      ['account-db', 'pass'],
    ]);
  });

  it('fails on leaks either way, and names rows', () => {
    const [real] = judge(isolation, asked, [{ ...MARKER, realLeaks: 2, realRows: ['sw5eaf00d1-3', 'sw5eaf00d1-4'] }]);
    expect(real).toMatchObject({ verdict: 'fail', measured: { value: 2, unit: 'rows' } });
    expect(real!.because).toContain('2 shadow rows lie among the real ones (sw5eaf00d1-3 and sw5eaf00d1-4)');
    expect(judge(isolation, asked, [{ ...MARKER, shadowLeaks: 1, shadowRows: ['o-9'] }])).toMatchObject([
      { verdict: 'fail' },
    ]);
  });

  it('fails on a leak that only the preflight saw', () => {
    const canary = { ...MARKER, shadowSeen: 0, realLeaks: 1, realRows: ['sw5eaf00d1-0'] };
    expect(judge(isolation, asked, [canary])).toMatchObject([{ verdict: 'fail' }]);
    expect(judge(isolation, asked, [canary, MARKER])).toMatchObject([{ verdict: 'fail' }]);
  });

  it('is unknown when nothing shadow was seen, nobody looked, or the run was cut short', () => {
    expect(judge(isolation, asked, [{ ...MARKER, shadowSeen: 0 }])).toMatchObject([{ verdict: 'unknown' }]);
    expect(judge(isolation, asked, [])).toMatchObject([{ verdict: 'unknown' }]);
    const failed = { type: 'audit.failed', what: 'marker in trade-db', message: 'no primary' };
    expect(judge(isolation, asked, [failed])).toMatchObject([{ verdict: 'unknown', scope: 'trade-db' }]);
    expect(judge(isolation, asked, [MARKER], true)).toMatchObject([{ verdict: 'unknown' }]);
  });
});
