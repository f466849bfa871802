import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type JournalSpec, journalFixture, type ScenarioSpec } from '../../tests/support/journal-fixture.ts';
import type { Finding } from '../spi/check.ts';
import { type AvailabilityParams, availability } from './availability.ts';
import { type LatencyParams, latency } from './latency.ts';
import { parseJournal } from './view.ts';
import { windowsOf } from './windowed.ts';

const DARK = { name: 'dark', commandedMs: 20_300, bittenMs: 20_800, revertingMs: 30_800, healedMs: 36_000 };

function view(sale: Partial<ScenarioSpec>, run: Partial<JournalSpec> = {}) {
  return parseJournal(
    journalFixture({ seconds: 60, scenarios: [{ name: 'sale', rates: { pay: 20 }, ...sale }], ...run }),
  );
}

function available(
  sale: Partial<ScenarioSpec>,
  asked: Partial<AvailabilityParams> = {},
  run: Partial<JournalSpec> = {},
): Finding {
  const params: AvailabilityParams = { of: 'sale', target: 0.9, confidence: 0.95, when: 'all', over: 10_000, ...asked };
  return availability.evaluate(view(sale, run), params)[0]!;
}

describe('availability over windows', () => {
  it('passes when no window is below the target, and names the worst', () => {
    const found = available({ bad: (second) => (second === 42 ? { timeout: 20 } : {}) });
    expect(found).toMatchObject({
      verdict: 'pass',
      basis: 'seconds',
      scope: 'sale, in each 10 s',
      sampleCount: 51,
      measured: { value: 0.9 },
    });
    expect(found.because).toContain('In each of 51 windows of 10 s at least 90 %');
  });

  it('fails by what a whole run hides: 5.8 % bad that were all of one stretch', () => {
    const sale: Partial<ScenarioSpec> = { bad: (second) => (second >= 33 && second < 37 ? { timeout: 18 } : {}) };
    const whole = available(sale, { target: 0.9, over: undefined as never });
    expect(whole.measured.value).toBeCloseTo(1 - 72 / 1200, 9);
    const found = available(sale);
    expect(found.verdict).toBe('fail');
    expect(found.measured.value).toBeCloseTo(1 - 72 / 200, 9);
    expect(found.because).toMatch(/^In 11 of 51 windows of 10 s fewer than 90 % of journeys were good/);
    expect(found.evidence.length).toBeGreaterThan(0);
  });

  it('looks at windows that lie wholly in the part that is asked for', () => {
    const sale: Partial<ScenarioSpec> = { bad: (second) => (second >= 20 && second < 36 ? { timeout: 20 } : {}) };
    expect(available(sale, { when: 'calm' }, { faults: [DARK] }).verdict).toBe('pass');
    expect(available(sale, { when: 'faults' }, { faults: [DARK] }).verdict).toBe('fail');
    const none = available(sale, { when: 'faults', over: 20_000 }, { faults: [DARK] });
    expect(none).toMatchObject({ verdict: 'unknown', sampleCount: 0 });
    expect(none.because).toContain('No window of 20 s lies wholly in the faults of this run');
  });

  it('is unknown where the generator or the end of the run leaves it open', () => {
    const late = available({
      droppedLate: (second) => (second === 7 ? 20 : 0),
      bad: (second) => (second === 8 ? { reset: 18 } : {}),
    });
    expect(late).toMatchObject({ verdict: 'unknown' });
    expect(late.because).toContain('the verdict would be fail');
    const cut = {
      cutAfterSeconds: 30,
      outcome: 'interrupted' as const,
      during: [{ atMs: 30_000, body: { type: 'interrupted' as const, by: 'SIGINT' } }],
    };
    expect(available({}, {}, cut).verdict).toBe('unknown');
    const failed = { bad: (second: number) => (second < 5 ? { reset: 20 } : {}) };
    expect(available(failed, {}, cut).verdict).toBe('fail');
    expect(available({}, { over: 61_000 }).verdict).toBe('unknown');
  });

  it('needs no sample size, and whole seconds', () => {
    expect(
      availability.sampleNeeded!({ of: 'sale', target: 0.9999, confidence: 0.95, when: 'all', over: 1000 }),
    ).toBeUndefined();
    expect(availability.params.parse({ of: 'sale', target: '99%', over: '1500ms' }).ok).toBe(false);
    expect(availability.params.parse({ of: 'sale', target: '99%', over: '10s' })).toMatchObject({
      ok: true,
      value: { over: 10_000 },
    });
  });
});

describe('latency over windows', () => {
  const judge = (sale: Partial<ScenarioSpec>, asked: Partial<LatencyParams> = {}): Finding[] =>
    latency.evaluate(view({ latencyMs: () => 20, ...sale }), {
      of: 'sale',
      p90: 100,
      confidence: 0.95,
      when: 'all',
      over: 5000,
      ...asked,
    });

  it('passes when the quantile of each window is within its limit', () => {
    const [found] = judge({ latencyMs: (second, _journey, u) => (second === 30 && u < 0.4 ? 500 : 20) });
    expect(found).toMatchObject({ verdict: 'pass', scope: 'sale p90, in each 5 s', sampleCount: 56 });
  });

  it('fails by one bad window, with its quantile', () => {
    const [found] = judge({ latencyMs: (second) => (second === 30 ? 500 : 20) });
    expect(found).toMatchObject({ verdict: 'fail', threshold: { value: 100, unit: 'ms' } });
    expect(found!.measured.value).toBeGreaterThan(400);
    expect(found!.because).toContain('In 5 of 56 windows of 5 s p90 was beyond 100 ms');
    const [whole] = latency.evaluate(view({ latencyMs: (second) => (second === 30 ? 500 : 20) }), {
      ...{ of: 'sale', p90: 100, confidence: 0.95, when: 'all' },
    });
    expect(whole!.verdict).toBe('pass');
  });

  it('does not blame the system for a starved generator', () => {
    const [found] = judge({
      latencyMs: (second) => (second === 30 ? 500 : 20),
      latenessP99Ms: (second) => (second === 30 ? 900 : 1),
    });
    // The fixture's service times are those of the journeys: the system was slow by itself.
    expect(found!.verdict).toBe('fail');
  });
});

describe('windowsOf', () => {
  it('finds the worst of all windows, as looking at each one would', () => {
    const seconds = fc.array(fc.record({ rate: fc.integer({ min: 1, max: 9 }), bad: fc.nat(9) }), {
      minLength: 3,
      maxLength: 12,
    });
    fc.assert(
      fc.property(seconds, fc.integer({ min: 1, max: 4 }), (drawn, length) => {
        const journal = view(
          { rates: { pay: 9 }, bad: (second) => ({ reset: second < 0 ? 0 : Math.min(9, drawn[second]!.bad) }) },
          { seconds: drawn.length },
        );
        const rows = journal.seconds({ scenario: 'sale' });
        const asked = { of: 'sale', when: 'all' as const, overMs: length * 1000, target: 0.5 };
        const found = windowsOf(journal, rows, asked, (row) => ({ good: row.good, total: row.good + row.badCount }));
        const each = drawn.slice(length - 1).map((_second, index) => {
          const bad = drawn.slice(index, index + length).reduce((sum, one) => sum + Math.min(9, one.bad), 0);
          return 1 - bad / (9 * length);
        });
        expect(found.count).toBe(each.length);
        if (each.length === 0) return;
        expect(found.worst!.good / found.worst!.total).toBeCloseTo(Math.min(...each), 9);
        expect(found.failing).toBe(each.filter((share) => share < 0.5 - 1e-9).length);
      }),
      { numRuns: 30, seed: 2 },
    );
  });
});
