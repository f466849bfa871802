import { describe, expect, it } from 'vitest';
import type { ClosedRound } from './closed.ts';
import { printClosed, printTruth, table } from './print.ts';
import { comparePercentiles } from './truth-model.ts';

const ROUND: ClosedRound = {
  tool: 'seawall',
  round: 1,
  startedAt: '',
  seconds: 5,
  requests: 250_000,
  perSecond: 50_000,
  cpuSeconds: 4,
  cpuUsPerRequest: 16,
  generatorCpuUsPerRequest: 15.5,
  cpuSecondsByPid: {},
  cpuShare: 0.8,
  targetCpuShare: 0.6,
  coreBusy: { tool: 0.8, server: 0.6 },
  steal: { tool: 0, server: 0 },
  disturbed: 0,
  connections: 64,
  rssBytes: 0,
  targetBound: false,
  whole: { tool: 350_000, server: 350_010, errors: 0 },
};
const WRK: ClosedRound = { ...ROUND, tool: 'wrk', cpuUsPerRequest: 10, perSecond: 80_000 };

describe('the closed part on paper', () => {
  it('has a row a tool, ratios to each peer, and the generator alone', () => {
    const text = printClosed({ connections: 64, rounds: [ROUND, WRK], failures: [] });
    expect(text).toMatch(/seawall +16\.0 \(16\.0–16\.0\) +50,000/);
    expect(text).toMatch(/wrk +10\.0 .* 1\.60× \(1\.60–1\.60\) +0\.63×/);
    expect(text).toContain('the generator alone: 15.5');
    expect(text).not.toMatch(/quiet|says|not measured/);
  });

  it('says what was not measured, what was disturbed, and who counts otherwise than the server', () => {
    const wrong = { ...WRK, disturbed: 0.2, whole: { tool: 300_000, server: 350_000, errors: 7 } };
    const failures = [{ tool: 'hey' as const, round: 2, because: 'it crashed' }];
    const text = printClosed({ connections: 64, rounds: [ROUND, wrong], failures });
    expect(text).toContain('not measured: hey, round 2: it crashed');
    expect(text).toContain('Not a quiet machine: in 1 of 2 rounds');
    expect(text).toContain('wrk, round 1: says 300,000 requests and 7 errors, the server counted 350,000');
  });
});

describe('the truth on paper', () => {
  it('marks what is wrong and what was not judged', () => {
    const truth = Float64Array.from({ length: 10_000 }, (_, index) => (index + 1) / 10);
    const reports: Record<number, number> = { 50: 500, 90: 800, 99.9: 999 };
    const run = {
      name: 'seawall',
      seconds: 40,
      requests: 10_000,
      errors: 0,
      dropped: 0,
      connectionsPeak: 70,
      stalls: [],
      stallOffMs: 0.1,
      modelOffMs: { '50': 0.25 },
      percentiles: comparePercentiles(truth, (percentile) => reports[percentile]),
    };
    const script = { perSecond: 250, seconds: 40, cycleSeconds: 40, serviceMinMs: 2, serviceSpanMs: 38, stalls: [] };
    const text = printTruth({ script, runs: [run], failures: [{ name: 'k6, 64 VUs', because: 'it crashed' }] });
    expect(text).toMatch(/truth of seawall +500\.0 +750\.0 +900\.0/);
    expect(text).toMatch(/\n {2}seawall +500\.0 +– +800\.0\* .*999\.0\?/);
    expect(text).toContain('p50 0.3');
    expect(text).toContain('not measured: k6, 64 VUs: it crashed');
  });
});

describe('a table', () => {
  it('is as wide as its widest cells', () => {
    expect(
      table(
        ['', 'n'],
        [
          ['a', '10'],
          ['long', '5'],
        ],
      ),
    ).toBe('         n\n  a     10\n  long   5\n');
  });
});
