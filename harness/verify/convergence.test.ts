import { expect, it } from 'vitest';
import { type FaultScript, journalFixture } from '../../tests/support/journal-fixture.ts';
import type { Finding } from '../spi/check.ts';
import { convergence } from './convergence.ts';
import { parseJournal } from './view.ts';

const FIRST = { name: 'slow', commandedMs: 10_000, bittenMs: 10_100, revertingMs: 20_000, healedMs: 20_100 };
const LAST = { name: 'dark', commandedMs: 15_000, bittenMs: 15_100, revertingMs: 30_000, healedMs: 30_100 };

function judge(badFrom: number, badTo: number, faults: FaultScript[] = [FIRST, LAST], seconds = 60): Finding {
  const bad = (second: number) => (second >= badFrom && second < badTo ? { timeout: 50 } : {});
  const journal = journalFixture({ seconds, scenarios: [{ name: 'sale', rates: { pay: 50 }, bad }], faults });
  return convergence.evaluate(parseJournal(journal), { of: 'sale', within: 5000 })[0]!;
}

it('counts from the last heal, however bad it was before', () => {
  expect(judge(10, 30)).toMatchObject({ verdict: 'pass', scope: 'sale' });
  expect(judge(10, 33)).toMatchObject({ verdict: 'pass', measured: { value: 2900, unit: 'ms' } });
});

it('fails what comes too late, or never in a time that was watched', () => {
  expect(judge(10, 40)).toMatchObject({ verdict: 'fail', measured: { value: 9900 } });
  expect(judge(10, 60).verdict).toBe('fail');
});

it('is unknown without a bite, without a heal, and when the load ends too early', () => {
  expect(judge(0, 0, []).verdict).toBe('unknown');
  const { healedMs: _never, ...open } = LAST;
  expect(judge(10, 60, [FIRST, { ...open, notHealed: 'no answer' }])).toMatchObject({
    verdict: 'unknown',
    because: expect.stringContaining('dark was never proved healed'),
  });
  expect(judge(10, 36, [FIRST, LAST], 36).verdict).toBe('unknown');
});
