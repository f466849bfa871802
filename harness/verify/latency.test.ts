import { describe, expect, it } from 'vitest';
import { type JournalSpec, journalFixture, type ScenarioSpec } from '../../tests/support/journal-fixture.ts';
import { Histogram } from '../core/histogram.ts';
import type { Finding } from '../spi/check.ts';
import { type LatencyParams, latency } from './latency.ts';
import { quantileBounds } from './order-statistics.ts';
import { parseJournal } from './view.ts';

const ASKED: LatencyParams = { of: 'sale', p99: 300, confidence: 0.95, when: 'all' };

function judge(
  sale: Partial<ScenarioSpec> = {},
  asked: Partial<LatencyParams> = {},
  run: Partial<JournalSpec> = {},
): Finding[] {
  const spec = { seconds: 60, scenarios: [{ name: 'sale', rates: { pay: 50 }, ...sale }], ...run };
  return latency.evaluate(parseJournal(journalFixture(spec)), { ...ASKED, ...asked });
}

describe('latency', () => {
  it('passes when the rank’s bound is within the limit', () => {
    const [finding] = judge({ latencyMs: () => 120 });
    expect(finding).toMatchObject({ verdict: 'pass', sampleCount: 3000, threshold: { value: 300, unit: 'ms' } });
    expect(finding!.measured.value).toBeCloseTo(120, 0);
    expect(finding!.because).toContain('at 95 % it is at most 300 ms');
  });

  it('fails when more than that share surely took longer, bad ones at their deadline included', () => {
    const slow = judge({ latencyMs: (_second, _journey, u) => (u < 0.03 ? 700 : 20) });
    expect(slow).toMatchObject([{ verdict: 'fail' }]);
    const bad = judge({ bad: (second) => (second < 3 ? { timeout: 50 } : {}), withinMs: 1000 });
    expect(bad).toMatchObject([{ verdict: 'fail' }]);
    expect(bad[0]!.measured.value).toBeCloseTo(1000, -1);
  });

  it('is unknown with too few samples, and between the bounds', () => {
    const [few] = judge({ rates: { pay: 4 } });
    expect(few).toMatchObject({ verdict: 'unknown', sampleCount: 240 });
    expect(few!.because).toContain('a fresh run of 299 with at most 0 bad would settle it');
    expect(judge({ latencyMs: (_second, _journey, u) => (u < 0.0095 ? 700 : 20) })).toMatchObject([
      { verdict: 'unknown' },
    ]);
    expect(judge({}, { of: 'nobody' })).toMatchObject([{ verdict: 'unknown', sampleCount: 0 }]);
  });

  it('judges each quantile that is asked, in its part of the run', () => {
    const faults = [{ name: 'slow', commandedMs: 10_000, bittenMs: 10_100, revertingMs: 20_000, healedMs: 20_100 }];
    const latencyMs: ScenarioSpec['latencyMs'] = (second) => (second >= 10 && second < 21 ? 500 : 20);
    const asked = { p50: 100, p99: 300 };
    const calm = judge({ latencyMs }, { ...asked, when: 'calm' }, { faults });
    const under = judge({ latencyMs }, { ...asked, when: 'faults' }, { faults });
    expect(calm.map(({ scope, verdict }) => [scope, verdict])).toEqual([
      ['sale (calm) p50', 'pass'],
      ['sale (calm) p99', 'pass'],
    ]);
    expect(under.map(({ verdict }) => verdict)).toEqual(['fail', 'fail']);
  });

  it('does not blame the system for a starved generator', () => {
    const lines = journalFixture({
      seconds: 60,
      scenarios: [{ name: 'sale', rates: { pay: 50 }, latencyMs: () => 500, latenessP99Ms: () => 450 }],
    });
    const fast = new Histogram();
    fast.record(20_000, 50);
    const quick = lines.map((line) => line.replace(/"service":"[^"]*"/, `"service":"${fast.encode()}"`));
    expect(latency.evaluate(parseJournal(lines), ASKED)).toMatchObject([{ verdict: 'fail' }]);
    const [finding] = latency.evaluate(parseJournal(quick), ASKED);
    expect(finding).toMatchObject({ verdict: 'unknown' });
    expect(finding!.because).toContain('the generator was starved');
  });

  it('does not pass a run that was cut short', () => {
    const during = [{ atMs: 30_000, body: { type: 'interrupted' as const, by: 'SIGINT' } }];
    const [finding] = judge({}, {}, { cutAfterSeconds: 30, during, outcome: 'interrupted' });
    expect(finding).toMatchObject({ verdict: 'unknown' });
    expect(finding!.because).toContain('cut short (the run was interrupted by SIGINT)');
  });

  it('parses its parameters', () => {
    expect(latency.params.parse({ of: 'sale', p99: '300ms' })).toEqual({ ok: true, value: ASKED });
    expect(latency.params.parse({ of: 'sale' }).ok).toBe(false);
    expect(latency.sampleNeeded?.({ ...ASKED, p999: 900 })).toBe(2995);
  });
});

describe('quantileBounds', () => {
  it('has no upper bound below the sample that it needs, and its ranks where tables have them', () => {
    const ranks = (n: number): Histogram => {
      const histogram = new Histogram();
      for (let value = 1; value <= n; value++) histogram.record(value);
      return histogram;
    };
    expect(quantileBounds(ranks(298), 0.99, 0.95).high).toBeUndefined();
    expect(quantileBounds(ranks(299), 0.99, 0.95).high).toBe(299);
    // The classical interval of a median: for n = 100, one-sided 95 %, ranks 42 and 59.
    expect(quantileBounds(ranks(100), 0.5, 0.95)).toEqual({ value: 50, low: 42, high: 59 });
  });
});
