import { describe, expect, it } from 'vitest';
import { type JournalSpec, journalFixture, type ScenarioSpec } from '../../tests/support/journal-fixture.ts';
import type { Finding } from '../spi/check.ts';
import { type AvailabilityParams, availability } from './availability.ts';
import { parseJournal } from './view.ts';

const DARK = { name: 'dark', commandedMs: 40_300, bittenMs: 40_800, revertingMs: 60_800, healedMs: 66_000 };
const ASKED: AvailabilityParams = { of: 'sale', target: 0.9999, confidence: 0.95, when: 'all' };

function judge(
  sale: Partial<ScenarioSpec> = {},
  asked: Partial<AvailabilityParams> = {},
  run: Partial<JournalSpec> = {},
): Finding[] {
  const spec = { seconds: 125, scenarios: [{ name: 'sale', rates: { pay: 250 }, ...sale }], faults: [DARK], ...run };
  return availability.evaluate(parseJournal(journalFixture(spec)), { ...ASKED, ...asked });
}

describe('availability', () => {
  it('passes with the sentence of the design', () => {
    const [main] = judge();
    expect(main).toMatchObject({ verdict: 'pass', basis: 'requests', sampleCount: 31_250, advisory: false });
    expect(main!.because).toContain(
      '31,250 of 31,250 good in this run, one loss of hz-a included: at 95 % at least 99.99',
    );
    expect(main!.because).toContain('One trial of a fault says little about the next one');
    expect(main!.measured.low).toBeGreaterThanOrEqual(0.9999);
  });

  it('fails when even the upper bound is below the target', () => {
    const [main] = judge({ bad: (second) => (second >= 40 && second < 46 ? { timeout: 250 } : {}) });
    expect(main).toMatchObject({ verdict: 'fail', measured: { value: 29_750 / 31_250 } });
    expect(main!.because).toContain('29,750 of 31,250 good');
    expect(main!.evidence.length).toBeGreaterThan(0);
  });

  it('is unknown in between, and says what would settle it', () => {
    const [main] = judge({ bad: (second) => (second === 40 ? { reset: 1 } : {}) });
    expect(main).toMatchObject({ verdict: 'unknown' });
    expect(main!.because).toContain('a fresh run of 77,535 with at most 3 bad would settle it');
    const [few] = judge({ rates: { pay: 10 } });
    expect(few!.verdict).toBe('unknown');
    expect(few!.because).toContain('a fresh run of 29,956 with at most 0 bad would settle it');
  });

  it('is unknown below the target without proof, and says how many would prove it', () => {
    const [main] = judge({ bad: (second) => (second % 31 === 0 ? { timeout: 1 } : {}) });
    expect(main!.verdict).toBe('unknown');
    expect(main!.because).toMatch(
      /lies below the target, and a fresh run of [\d,]+ that goes the same way would prove/,
    );
  });

  it('counts what the full cap kept back as bad, and judges twice what the late generator did not send', () => {
    const [capped] = judge({ bad: (second) => (second > 60 ? { dropped: 100 } : {}) });
    expect(capped).toMatchObject({ verdict: 'fail' });
    expect(capped!.because).toContain('6,400 starts found the in-flight cap full and count as bad');
    const [late] = judge({ droppedLate: (second) => (second === 3 ? 40 : 0) });
    expect(late).toMatchObject({ verdict: 'unknown', sampleCount: 31_210 });
    expect(late!.because).toContain('With those starts bad the verdict would be fail');
  });

  it('looks only at its part of the run', () => {
    const bad: ScenarioSpec['bad'] = (second) => (second >= 40 && second < 46 ? { timeout: 250 } : {});
    const verdicts = (['calm', 'faults', 'recovery'] as const).map(
      (when) => judge({ bad }, { when, target: 0.999 })[0]!,
    );
    expect(verdicts.map(({ verdict }) => verdict)).toEqual(['pass', 'fail', 'unknown']);
    expect(verdicts[0]!.because).not.toContain('loss of hz-a');
    // 40.3 s to 66 s touches the seconds 40 to 65.
    expect(verdicts[1]!.sampleCount).toBe(26 * 250);
    expect(verdicts[2]!.because).toContain('no evidence');
  });

  it('shows its split in calm, under each fault and by second as advisory', () => {
    const splits = judge({ bad: (second) => (second === 40 ? { reset: 3 } : {}) }).slice(1);
    expect(splits.map(({ scope, basis, advisory }) => [scope, basis, advisory])).toEqual([
      ['sale, in calm', 'requests', true],
      ['sale, under dark', 'requests', true],
      ['sale, by second', 'seconds', true],
    ]);
    expect(splits[2]!.because).toContain('124 of 125 seconds with every journey good');
  });

  it('counts a second once although it has several journeys', () => {
    const bad: ScenarioSpec['bad'] = (second, journey) => (second < 2 && journey === 'pay' ? { status: 1 } : {});
    const bySecond = judge({ rates: { pay: 20, browse: 100 }, bad }).at(-1)!;
    expect(bySecond).toMatchObject({ sampleCount: 125, measured: { value: 123 / 125 } });
  });

  it('is unknown when the guard cut it short, unless the rest could not have mended it', () => {
    const guard = {
      type: 'guard.tripped',
      rule: 'sale: bad 5% over 10s',
      of: 'sale',
      bad: 16,
      total: 200,
      because: '16 of 200',
    } as const;
    const cut = (second: number): Partial<JournalSpec> => ({
      cutAfterSeconds: second,
      outcome: 'aborted',
      during: [{ atMs: second * 1000, body: guard }],
    });
    const [short] = judge({}, { target: 0.99 }, cut(50));
    expect(short).toMatchObject({ verdict: 'unknown' });
    expect(short!.because).toContain('cut short (the guard “sale: bad 5% over 10s” tripped)');
    const bad: ScenarioSpec['bad'] = (second) => (second >= 40 ? { timeout: 250 } : {});
    expect(judge({ bad }, { target: 0.95 }, cut(42))[0]!.verdict).toBe('unknown');
    expect(judge({ bad }, { target: 0.9999 }, cut(50))[0]!.verdict).toBe('fail');
  });

  it('has no evidence for a scenario that was not there', () => {
    expect(judge({}, { of: 'other' })).toMatchObject([{ verdict: 'unknown', sampleCount: 0 }]);
  });

  it('parses its parameters and says what it needs', () => {
    expect(availability.params.parse({ of: 'sale', target: '99.99%' })).toEqual({ ok: true, value: ASKED });
    expect(availability.params.parse({ of: 'sale', target: '100%' }).ok).toBe(false);
    expect(availability.params.parse({ of: 'sale', target: '99%', tarjet: 1 }).ok).toBe(false);
    expect(availability.sampleNeeded?.(ASKED)).toBe(29_956);
    expect(availability.sampleOf?.({ ...ASKED, journey: 'pay' })).toEqual({ scenario: 'sale', journey: 'pay' });
  });
});
