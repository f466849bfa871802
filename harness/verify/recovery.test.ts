import { describe, expect, it } from 'vitest';
import {
  type FaultScript,
  type JournalSpec,
  journalFixture,
  type ScenarioSpec,
} from '../../tests/support/journal-fixture.ts';
import type { Finding } from '../spi/check.ts';
import type { JournalBody } from '../spi/journal.ts';
import { recovery } from './recovery.ts';
import { parseJournal } from './view.ts';

const DARK: FaultScript = {
  name: 'dark',
  commandedMs: 20_300,
  bittenMs: 20_800,
  revertingMs: 40_800,
  healedMs: 45_000,
};
const AVAILABILITY = { check: 'availability', params: { of: 'sale', target: 0.99, confidence: 0.95, when: 'all' } };
const ACKS = {
  type: 'audit.acks',
  store: 'trade-db',
  journey: 'pay',
  acked: 1000,
  unknown: 0,
  refused: 0,
  found: 1000,
  missing: 0,
  missingKeys: [] as string[],
  unknownKept: 0,
} as const;

function judge(
  bad: NonNullable<ScenarioSpec['bad']>,
  options: { run?: Partial<JournalSpec>; fault?: Partial<FaultScript>; audits?: JournalBody[]; rpo?: number } = {},
): Finding[] {
  const spec: JournalSpec = {
    seconds: 80,
    scenarios: [{ name: 'sale', rates: { pay: 50 }, bad }],
    faults: [{ ...DARK, ...options.fault }],
    checks: [AVAILABILITY],
    audits: options.audits ?? [],
    ...options.run,
  };
  const asked = { of: 'sale', rto: 10_000, ...(options.rpo === undefined ? {} : { rpo: options.rpo }) };
  return recovery.evaluate(parseJournal(journalFixture(spec)), asked);
}

const out =
  (from: number, to: number): NonNullable<ScenarioSpec['bad']> =>
  (second) =>
    second >= from && second < to ? { timeout: 50 } : {};

describe('recovery time', () => {
  it('runs from the command to the start of the first 5 good seconds, the bite beside it', () => {
    const [rto, failback] = judge(out(20, 26));
    expect(rto).toMatchObject({ verdict: 'pass', scope: 'sale, dark', measured: { value: 5700, unit: 'ms' } });
    expect(rto!.because).toContain('After dark, sale was served again after 5.7 s (5.2 s after the proved bite)');
    expect(failback).toMatchObject({ verdict: 'pass', scope: 'sale, dark failback', measured: { value: 0 } });
  });

  it('does not take a short good spell for recovery', () => {
    const flapping: ScenarioSpec['bad'] = (second) =>
      (second >= 20 && second < 24) || second === 27 ? { reset: 50 } : {};
    expect(judge(flapping)[0]).toMatchObject({ verdict: 'pass', measured: { value: 7700 } });
  });

  it('allows what the scenario’s availability target allows', () => {
    const drizzle: ScenarioSpec['bad'] = (second) => (second >= 20 && second % 4 === 0 ? { status: 1 } : {});
    // 1 or 2 of 250 are within 99 %.
    expect(judge(drizzle)[0]).toMatchObject({ verdict: 'pass', measured: { value: 0 } });
    const strict = { checks: [{ ...AVAILABILITY, params: { ...AVAILABILITY.params, target: 0.9999 } }] };
    expect(judge(drizzle, { run: strict })[0]).toMatchObject({ verdict: 'fail' });
  });

  it('fails when it took longer, or never came while it was watched', () => {
    expect(judge(out(20, 35))[0]).toMatchObject({ verdict: 'fail', measured: { value: 14_700 } });
    const never = judge(out(20, 80))[0]!;
    expect(never.verdict).toBe('fail');
    expect(never.because).toContain('no 5 s with at least 99 % good in the 59.7 s that were watched');
  });

  it('fails the failback alone when only that was slow', () => {
    expect(judge(out(45, 60)).map(({ verdict }) => verdict)).toEqual(['pass', 'fail']);
  });

  it('is unknown when the load ended too early to tell', () => {
    const [rto] = judge(out(20, 30), { run: { cutAfterSeconds: 30, killed: true }, fault: { revertingMs: 29_000 } });
    expect(rto).toMatchObject({ verdict: 'unknown' });
    expect(rto!.because).toContain('the run was cut short');
  });

  it('is unknown for a fault that never bit, was skipped, or was not proved healed', () => {
    const script = { name: 'dark', commandedMs: 20_000, revertingMs: 21_000, healedMs: 22_000 };
    const noBite = judge(() => ({}), { run: { faults: [{ ...script, notBitten: 'all links still answered' }] } });
    expect(noBite).toMatchObject([{ verdict: 'unknown' }]);
    expect(noBite[0]!.because).toContain('never bit (all links still answered)');
    const skipped = judge(() => ({}), {
      run: { faults: [{ name: 'dark', skipped: 'an earlier one was not healed' }] },
    });
    expect(skipped).toMatchObject([{ verdict: 'unknown' }]);
    const unhealed = { ...DARK, notHealed: 'no standby after 45 s' } as FaultScript;
    delete unhealed.healedMs;
    const results = judge(() => ({}), { run: { faults: [unhealed] } });
    expect(results.map(({ verdict }) => verdict)).toEqual(['pass', 'unknown']);
    expect(results[1]!.because).toContain('no standby after 45 s');
  });

  it('has nothing to say without faults: advisory when they were left out on purpose', () => {
    expect(judge(() => ({}), { run: { faults: [] } })).toMatchObject([{ verdict: 'unknown', advisory: false }]);
    expect(judge(() => ({}), { run: { injectFaults: false } })).toMatchObject([{ verdict: 'unknown', advisory: true }]);
  });
});

describe('acknowledged writes', () => {
  const rpo = (audits: JournalBody[], allowed = 0): Finding => judge(() => ({}), { audits, rpo: allowed }).at(-1)!;

  it('pass when every one is found; unknown ones count neither way', () => {
    const finding = rpo([{ ...ACKS, unknown: 7, unknownKept: 5 }]);
    expect(finding).toMatchObject({ verdict: 'pass', sampleCount: 1000, measured: { value: 0 } });
    expect(finding.because).toContain('the loss is below 0.2992 %');
    expect(finding.because).toContain('7 writes got no clear answer and count neither as lost nor as kept (5 of them');
  });

  it('fail when one is missing, and name it', () => {
    const finding = rpo([{ ...ACKS, found: 999, missing: 1, missingKeys: ['sw5eaf00d1-17'] }]);
    expect(finding).toMatchObject({ verdict: 'fail', measured: { value: 1, unit: 'writes' } });
    expect(finding.because).toContain('sw5eaf00d1-17');
    expect(rpo([{ ...ACKS, found: 999, missing: 1, missingKeys: ['x'] }], 1).verdict).toBe('pass');
  });

  it('are unknown when nobody looked, when none was acknowledged, or when the look-up failed', () => {
    expect(rpo([]).verdict).toBe('unknown');
    expect(rpo([{ ...ACKS, acked: 0, found: 0 }]).verdict).toBe('unknown');
    expect(rpo([{ ...ACKS, because: 'the store did not answer' }]).verdict).toBe('unknown');
    const failed = rpo([{ type: 'audit.failed', what: 'acks of pay', message: 'no primary' }]);
    expect(failed.verdict).toBe('unknown');
    expect(failed.because).toContain('no primary');
  });

  it('look only at the scenario’s own journeys', () => {
    expect(rpo([ACKS, { ...ACKS, journey: 'refund', missing: 3, missingKeys: ['r'] }]).verdict).toBe('pass');
  });
});
