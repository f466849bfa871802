import { describe, expect, it } from 'vitest';
import { type JournalSpec, journalFixture } from '../../tests/support/journal-fixture.ts';
import { sampleJournal } from '../../tests/support/sample-journal.ts';
import type { Check, Finding } from '../spi/check.ts';
import type { JournalBody } from '../spi/journal.ts';
import { evaluateAll } from './evaluate.ts';
import { type Judgement, judgeRun } from './judge.ts';
import { parseJournal } from './view.ts';

const CHECK = { check: 'availability', params: { of: 'sale', target: 0.9, confidence: 0.95, when: 'all' } };
const DARK = { name: 'dark', commandedMs: 3000, bittenMs: 3200, revertingMs: 5000, healedMs: 5500 };

function judge(changes: Partial<JournalSpec> = {}, leftovers: string[] = []): Judgement {
  const spec = { seconds: 20, scenarios: [{ name: 'sale', rates: { pay: 20 } }], checks: [CHECK], ...changes };
  return judgeRun({ journal: journalFixture(spec), leftovers });
}

function named(judged: Judgement, check: string): Finding[] {
  return judged.findings.filter((finding) => finding.check === check);
}

describe('judgeRun', () => {
  it('passes a good run and gives the same for text as for lines', () => {
    const judged = judge({ faults: [DARK] });
    expect([judged.verdict, judged.exitCode]).toEqual(['pass', 0]);
    expect(judged.recoveries).toEqual([{ fault: 'dark', recoveredMs: 3000 }]);
    expect(judgeRun({ journal: sampleJournal().join('\n') }).findings).toEqual(
      judgeRun({ journal: sampleJournal() }).findings,
    );
  });

  it('says how the generator itself was, in every verdict', () => {
    const row = { scenario: 'sale', atMs: 5000, eventLoopP99Ms: 3.26, cpuShare: 0.4, rssBytes: 1e8, inFlight: 2 };
    const told = judge({
      during: [
        { atMs: 5000, body: { type: 'load.health', row: { ...row, stealShare: 0.12, pacer: 'spin' } } },
        { atMs: 6000, body: { type: 'load.health', row: { ...row, cpuShare: 0.75, pacer: 'timer' } } },
      ],
    });
    expect(named(told, 'generator')[0]!.because).toContain(
      'at most 3.3 ms late (p99 of a second), it used at most 75 % of a core, 12 % of the machine’s time stolen; sends were paced by spin and timer.',
    );
  });

  it('is unknown when the generator starved', () => {
    const late = judge({
      scenarios: [{ name: 'sale', rates: { pay: 20 }, latenessP99Ms: (second) => (second === 4 ? 80 : 1) }],
    });
    expect([late.verdict, late.exitCode]).toEqual(['unknown', 2]);
    expect(named(late, 'generator')[0]!.because).toContain('LOAD_STARVED');
    const unsent = judge({
      scenarios: [{ name: 'sale', rates: { pay: 20 }, droppedLate: (second) => (second === 4 ? 2 : 0) }],
    });
    expect(named(unsent, 'generator')).toMatchObject([{ verdict: 'unknown', advisory: false }]);
    const capped = judge({ scenarios: [{ name: 'sale', rates: { pay: 20 }, bad: () => ({ dropped: 1 }) }] });
    expect(named(capped, 'generator')).toMatchObject([{ verdict: 'pass', advisory: true }]);
  });

  it.each<[string, Partial<JournalSpec>, string]>([
    [
      'never bit',
      { faults: [{ name: 'dark', commandedMs: 3000, notBitten: 'still answering', healedMs: 4000 }] },
      'still answering',
    ],
    ['was skipped', { faults: [{ name: 'dark', skipped: 'the earlier one' }] }, 'was not injected: the earlier one'],
    ['was never reached', { faults: [{ name: 'dark' }] }, 'did not come to it'],
    [
      'was not healed',
      { faults: [{ name: 'dark', commandedMs: 3000, bittenMs: 3100, notHealed: 'no standby' }] },
      'no standby',
    ],
  ])('is unknown when a fault %s', (_name, changes, words) => {
    const judged = judge(changes);
    expect(judged.verdict).toBe('unknown');
    expect(named(judged, 'injection')).toMatchObject([{ verdict: 'unknown', because: expect.stringContaining(words) }]);
  });

  it('asks nothing of faults that were left out on purpose', () => {
    const judged = judge({ faults: [DARK].map(({ name }) => ({ name })), injectFaults: false });
    expect([judged.verdict, named(judged, 'injection')]).toEqual(['pass', []]);
  });

  it('fails when the guard tripped', () => {
    const body = {
      type: 'guard.tripped',
      rule: 'sale: bad 5% over 10s',
      of: 'sale',
      bad: 16,
      total: 200,
      because: '16 of 200 bad',
    } as const;
    const judged = judge({ cutAfterSeconds: 10, during: [{ atMs: 10_000, body }], outcome: 'aborted' });
    expect([judged.verdict, judged.exitCode]).toEqual(['fail', 1]);
    expect(named(judged, 'guard')).toMatchObject([{ verdict: 'fail', sampleCount: 200 }]);
    expect(named(judged, 'availability')[0]!.verdict).toBe('unknown');
  });

  it.each<[string, JournalBody]>([
    [
      'steady-state',
      { type: 'steady-state', scenario: 'sale', met: false, good: 5, bad: 5, p99Ms: 9, because: '5 of 10' },
    ],
    [
      'canary',
      { type: 'canary', scenario: 'sale', results: [{ journey: 'pay', good: false, acks: [], because: '500' }] },
    ],
    ['load', { type: 'load.failed', scenario: 'sale', message: 'it died' }],
    [
      'feed',
      {
        type: 'load.ended',
        scenario: 'sale',
        summary: { scheduled: 60, sent: 60, good: 60, bad: 0, failuresOmitted: 0, dryAtMs: 3000 },
      },
    ],
    ['audit', { type: 'audit.failed', what: 'acks of pay', message: 'no primary' }],
  ])('is unknown by %s', (check, body) => {
    const judged = judge({ during: [{ atMs: 1500, body }] });
    expect(judged.verdict).toBe('unknown');
    expect(named(judged, check)).toMatchObject([{ verdict: 'unknown', evidence: [expect.any(Number)] }]);
  });

  it('gives the exit codes of what happened to the run', () => {
    const error = { type: 'error', code: 'NODE_DIED', message: 'gone', hint: 'see the log' } as const;
    expect(judge({ during: [{ atMs: 5000, body: error }], outcome: 'failed' })).toMatchObject({
      exitCode: 4,
      error: { code: 'NODE_DIED' },
    });
    const interrupted = { type: 'interrupted', by: 'SIGINT' } as const;
    expect(judge({ during: [{ atMs: 5000, body: interrupted }], outcome: 'interrupted' }).exitCode).toBe(130);
    expect(judge({ killed: true })).toMatchObject({ exitCode: 4, outcome: 'failed', verdict: 'unknown' });
    expect(judge({}, ['a proxy'])).toMatchObject({ exitCode: 5, leftovers: ['a proxy'] });
    const left = { type: 'leftover', what: 'a proxy', hint: 'seawall heal' } as const;
    expect(judge({ audits: [left] }, ['a proxy'])).toMatchObject({ exitCode: 5, leftovers: ['a proxy'] });
  });

  it('does not take trouble after the whole load for a cut', () => {
    const error = { type: 'error', code: 'DISK_FULL', message: 'full', hint: '' } as const;
    const judged = judge({ audits: [error] });
    expect(named(judged, 'availability')[0]!.verdict).toBe('pass');
    expect(judged.exitCode).toBe(4);
  });
});

describe('evaluateAll', () => {
  const lines = journalFixture({
    seconds: 3,
    scenarios: [{ name: 'sale', rates: { pay: 20 } }],
    checks: [
      { check: 'broken', params: { of: 'sale' } },
      { check: 'absent', params: {} },
      { ...CHECK, advisory: true },
    ],
  });
  const broken: Check = {
    kind: 'broken',
    summary: '',
    params: { parse: () => ({ ok: true, value: {} }), json: () => ({}) },
    evaluate: () => {
      throw new Error('division by zero');
    },
  };

  it('turns a check that throws, and one that nobody knows, into unknown', () => {
    const findings = evaluateAll(parseJournal(lines), [broken], []);
    expect(findings[0]).toMatchObject({
      verdict: 'unknown',
      because: 'Not judged: the check itself failed: division by zero.',
    });
    expect(findings[1]).toMatchObject({ verdict: 'unknown', check: 'absent', advisory: false });
  });

  it('keeps what the plan calls advisory out of the verdict', () => {
    const judged = evaluateAll(parseJournal(lines)).filter(({ check }) => check === 'availability');
    expect(judged.length).toBeGreaterThan(0);
    expect(judged.every(({ advisory }) => advisory)).toBe(true);
  });
});
