import { describe, expect, it } from 'vitest';
import { type JournalSpec, journalFixture, type ScenarioSpec } from '../../tests/support/journal-fixture.ts';
import type { Finding } from '../spi/check.ts';
import { evaluateAll } from './evaluate.ts';
import { traffic } from './traffic.ts';
import { parseJournal } from './view.ts';

const FUNNEL: Partial<ScenarioSpec> = {
  rates: { shop: 100 },
  steps: { shop: ['look', 'cart', 'pay'] },
  conversions: { shop: [1, 0.3, 0.5] },
};
const sentTo = (cart: number, pay: number) => (_second: number, _journey: string, step: string) =>
  step === 'look' ? 100 : step === 'cart' ? cart : pay;

function judge(sale: Partial<ScenarioSpec>, run: Partial<JournalSpec> = {}): Record<string, Finding> {
  const spec = { seconds: 60, scenarios: [{ name: 'sale', rates: { browse: 70, pay: 30 }, ...sale }], ...run };
  const findings = traffic.evaluate(parseJournal(journalFixture(spec)), { rate: 0.02, mix: 0.02, conversion: 0.05 });
  return Object.fromEntries(findings.map((finding) => [finding.scope, finding]));
}

describe('traffic', () => {
  it('passes with the declared rate and mix', () => {
    const found = judge({});
    expect(found['sale rate']).toMatchObject({ verdict: 'pass', measured: { value: 1 }, sampleCount: 6000 });
    expect(found['sale rate']!.because).toContain('6,000 starts were sent and 6,000 declared (100/s and 100/s');
    expect(found['sale mix']).toMatchObject({ verdict: 'pass', sampleCount: 6000 });
    expect(found['sale mix']!.because).toContain('browse 70 % (declared 70 %), pay 30 % (declared 30 %)');
  });

  it('fails by a rate that was not reached, and by a mix that it made another', () => {
    const found = judge({ droppedLate: (second, journey) => (journey === 'pay' && second > 30 ? 20 : 0) });
    expect(found['sale rate']!.verdict).toBe('fail');
    expect(found['sale rate']!.because).toContain('5,420 starts were sent and 6,000 declared');
    expect(found['sale mix']!.verdict).toBe('fail');
    expect(found['sale mix']!.because).toMatch(/the drift of 7\.\d+ % points is beyond 2 %/);
  });

  it('of a run that was cut short is compared with what was declared until then', () => {
    const interrupted = { type: 'interrupted' as const, by: 'SIGINT' };
    const found = judge(
      {},
      { cutAfterSeconds: 30, outcome: 'interrupted', during: [{ atMs: 30_000, body: interrupted }] },
    );
    expect(found['sale rate']).toMatchObject({ verdict: 'pass', sampleCount: 3000 });
  });

  it('compares each conversion with the declared one', () => {
    const declared = judge({ ...FUNNEL, sentTo: sentTo(31, 15) })['sale/shop conversion']!;
    expect(declared.verdict).toBe('pass');
    expect(declared.because).toContain(
      'cart 31 % (1,860 of 6,000; declared 30 %), pay 48.39 % (900 of 1,860; declared 50 %)',
    );
    const lost = judge({ ...FUNNEL, sentTo: sentTo(30, 6) })['sale/shop conversion']!;
    expect(lost).toMatchObject({
      verdict: 'fail',
      measured: { value: 0.2 },
      threshold: { value: 0.5 },
      sampleCount: 1800,
    });
    expect(lost.because).toContain('the drift of 30 % points is beyond 5 %');
  });

  it('does not call chance a drift', () => {
    const few = judge({ ...FUNNEL, sentTo: (second, _journey, step) => (step === 'look' || second < 1 ? 1 : 0) });
    expect(few['sale/shop conversion']!.verdict).not.toBe('pass');
    const tiny = judge(
      { ...FUNNEL, rates: { shop: 1 }, sentTo: (_s, _j, step) => (step === 'look' ? 1 : 0) },
      { seconds: 2 },
    );
    expect(tiny['sale/shop conversion']).toMatchObject({ verdict: 'unknown' });
    expect(tiny['sale/shop conversion']!.because).toContain('too few were counted to tell it from chance');
  });

  it('is judged in every run and changes no verdict, unless the plan asks for it', () => {
    const scenarios = [{ name: 'sale', rates: { pay: 30 }, droppedLate: () => 10 }];
    const of = (checks: JournalSpec['checks']) =>
      evaluateAll(parseJournal(journalFixture({ seconds: 20, scenarios, ...(checks === undefined ? {} : { checks }) })))
        .filter(({ check }) => check === 'traffic')
        .map(({ scope, verdict, advisory }) => ({ scope, verdict, advisory }));
    expect(of(undefined)).toEqual([{ scope: 'sale rate', verdict: 'fail', advisory: true }]);
    const params = { of: 'sale', rate: 0.02, mix: 0.02, conversion: 0.05 };
    expect(of([{ check: 'traffic', params }])).toEqual([{ scope: 'sale rate', verdict: 'fail', advisory: false }]);
  });
});
