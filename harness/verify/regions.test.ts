import { describe, expect, it } from 'vitest';
import { type JournalSpec, journalFixture } from '../../tests/support/journal-fixture.ts';
import type { JournalEvent } from '../spi/journal.ts';
import type { CanaryResult } from '../spi/load.ts';
import { evaluateAll } from './evaluate.ts';
import { latency } from './latency.ts';
import { parseJournal } from './view.ts';

const SPEC: JournalSpec = { seconds: 20, scenarios: [{ name: 'sale', rates: { browse: 10 } }] };
const way = (name: string, askedMs: number, measuredMs: number, good: boolean): CanaryResult => ({
  ...{ journey: `the way from ${name}`, good, acks: [], region: { name, askedMs, measuredMs } },
  because: `it adds ${measuredMs} ms to a round trip, asked ${askedMs} ms`,
});

/** A run of users in two regions, every second row from the far one and 60 ms slower. */
function viewOf(ways: CanaryResult[], looks: number[] = []) {
  const health = { eventLoopP99Ms: 1, cpuShare: 0.1, rssBytes: 1, inFlight: 1 };
  const during = looks.map((measuredMs, index) => {
    const seen = [{ name: 'far', askedMs: 80, measuredMs }];
    const row = { scenario: 'sale', atMs: index * 2000, ...health, ways: seen };
    return { atMs: index * 2000, body: { type: 'load.health' as const, row } };
  });
  const events = journalFixture({ ...SPEC, during }).map((line) => JSON.parse(line) as JournalEvent);
  let nth = 0;
  const lines = events.flatMap((event): JournalEvent[] => {
    if (event.type === 'run.opened') {
      const regions = [
        { name: 'near', share: 0.5, rttMs: 20, jitterMs: 0, bytesPerSecond: undefined, lossRatio: 0 },
        { name: 'far', share: 0.5, rttMs: 80, jitterMs: 0, bytesPerSecond: undefined, lossRatio: 0 },
      ];
      event.timeline.plan.load[0]!.regions = regions;
    }
    if (event.type === 'canary') return [{ ...event, results: [...event.results, ...ways] }];
    if (event.type !== 'load.window') return [event];
    return [{ ...event, row: { ...event.row, region: nth++ % 2 === 0 ? 'near' : 'far' } }];
  });
  return parseJournal(lines.map((event) => JSON.stringify(event)));
}

const found = (ways: CanaryResult[], looks: number[] = []) =>
  evaluateAll(viewOf(ways, looks)).filter(({ check }) => check === 'region');

describe('the way from a region', () => {
  it('is shown when it takes what was asked for', () => {
    const [near, far] = found([way('near', 20, 21.5, true), way('far', 80, 82, true)]);
    expect(near).toMatchObject({ scope: 'sale from near', verdict: 'pass', advisory: true });
    expect(near).toMatchObject({ measured: { value: 21.5, unit: 'ms' }, threshold: { value: 20, unit: 'ms' } });
    expect(far!.because).toBe(
      'The way from far was measured before the load: it adds 82 ms to a round trip, asked 80 ms.',
    );
  });

  it('makes the run unknown when it does not bite, and no canary of a journey is blamed for it', () => {
    const ways = [way('near', 20, 21.5, true), way('far', 80, 0.3, false)];
    const far = found(ways)[1]!;
    expect(far).toMatchObject({ verdict: 'unknown', advisory: false, measured: { value: 0.3 } });
    expect(far.because).toContain('does not do what the plan says: it adds 0.3 ms to a round trip, asked 80 ms');
    expect(evaluateAll(viewOf(ways)).filter(({ check }) => check === 'canary')).toEqual([]);
  });

  it('makes the run unknown when its proxy could not keep up under load, but not by one slow moment', () => {
    const ways = [way('near', 20, 21.5, true), way('far', 80, 82, true)];
    expect(found(ways, [81, 83, 900, 82])[1]).toMatchObject({ verdict: 'pass', sampleCount: 5 });
    expect(found(ways, [81, 83, 900, 82])[1]!.because).toContain('under load it added 83 ms (median of 4 looks)');
    const looks = [300, 250, 83, 410, 390, 280];
    const slow = found(ways, looks)[1]!;
    expect(slow).toMatchObject({ verdict: 'unknown', advisory: false });
    expect(slow.because).toContain('could not keep up');
    // What its users waited is nobody's fault that could be named; those of the other region are told apart by nothing.
    const asked = { of: 'sale', region: 'far', p50: 1, confidence: 0.95, when: 'all' as const };
    expect(latency.evaluate(viewOf(ways), asked)[0]!.verdict).toBe('fail');
    const doubted = latency.evaluate(viewOf(ways, looks), asked)[0]!;
    expect(doubted.verdict).toBe('unknown');
    expect(doubted.because).toContain('the way from far did not keep up under this load');
    // Too few to say so; and a system whose answers vary much, to both sides.
    expect(found(ways, [400, 500])[1]!.verdict).toBe('pass');
    expect(found(ways, [400, -300, 350, -200, 500, 90])[1]!.verdict).toBe('pass');
  });

  it('is unknown when nobody measured it', () => {
    expect(found([way('near', 20, 21.5, true)])[1]).toMatchObject({ verdict: 'unknown', sampleCount: 0 });
  });
});

describe('the rows of a region', () => {
  it('add up to those of the scenario, and a check may look at one region alone', () => {
    const view = viewOf([]);
    const starts = (region?: string) =>
      view
        .seconds({ scenario: 'sale', ...(region === undefined ? {} : { region }) })
        .reduce((total, row) => total + row.scheduled, 0);
    expect(starts('near') + starts('far')).toBe(starts());
    expect(starts('near')).toBe(100);
    const asked = { of: 'sale', region: 'far', p50: 1000, confidence: 0.95, when: 'all' as const };
    expect(latency.evaluate(view, asked)[0]).toMatchObject({ scope: 'sale from far p50', sampleCount: 100 });
  });
});
