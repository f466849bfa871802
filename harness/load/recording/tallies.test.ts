import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { RateCurve, sparkline } from './rate-columns.ts';
import { decodeSessions, encodeSessions, SessionTable, sessionHash } from './session-table.ts';
import { TopCounts } from './top-counts.ts';

describe('the table of sessions', () => {
  it('is exact while there are few', () => {
    const table = new SessionTable();
    for (let request = 0; request < 300_000; request++) table.add(`s${request % 100_000}`, 1e12 + request);
    table.add(undefined, 1e12);
    expect([table.sessions, table.oneOf, table.without]).toEqual([100_000, 1, 1]);
    expect(table.spans().every(({ requests, firstMs, lastMs }) => requests === 3 && lastMs - firstMs === 200_000)).toBe(
      true,
    );
  });

  it('estimates within a percent when there are many, each that it keeps counted in full', () => {
    const table = new SessionTable();
    const sessions = 1_000_000;
    for (let request = 0; request < 2 * sessions; request++) table.add(`s${request % sessions}`, 1e12);
    expect(table.oneOf).toBe(8);
    expect(Math.abs(table.sessions / sessions - 1)).toBeLessThan(0.01);
    expect(table.spans().every(({ requests }) => requests === 2)).toBe(true);
  });

  it('is stored and read', () => {
    const table = new SessionTable();
    table.add('a', 1000.25);
    table.add('b', 2000);
    table.add('a', 3000.5);
    expect(decodeSessions(encodeSessions(table))).toEqual({
      oneOf: 1,
      without: 0,
      spans: [
        { requests: 2, firstMs: 1000, lastMs: 3001 },
        { requests: 1, firstMs: 2000, lastMs: 2000 },
      ],
    });
  });

  it('hashes sessions evenly over stripes, the same everywhere', () => {
    const stripes = [0, 0, 0, 0, 0];
    for (let session = 0; session < 10_000; session++) stripes[sessionHash(`session ${session}`) % 5]!++;
    expect(Math.min(...stripes)).toBeGreaterThan(1850);
    expect(Math.max(...stripes)).toBeLessThan(2150);
    expect(sessionHash('session 1')).toBe(SESSION_1);
  });
});

/** Part of what a recording means: a stripe taken today must be the one taken by another version. */
const SESSION_1 = 3179925903;

describe('counting the most frequent', () => {
  it('is exact while there are few, and keeps the frequent ones when there are many', () => {
    const counts = new TopCounts();
    for (let round = 0; round < 200_000; round++) {
      counts.add('often');
      if (round % 10 === 0) counts.add('at times');
      counts.add(`once ${round}`);
    }
    expect(counts.top(2)).toEqual([
      ['often', 200_000],
      ['at times', 20_000],
    ]);
    expect(counts.keys).toBeLessThanOrEqual(50_000);
    expect(counts.givenUp + counts.top(50_000).reduce((sum, [, count]) => sum + count, 0)).toBe(420_000);
  });
});

describe('the curve of rates', () => {
  it('keeps every request, however long the time', () => {
    fc.assert(
      fc.property(
        fc.array(fc.nat(40_000_000), { minLength: 1, maxLength: 50 }),
        fc.integer({ min: 1, max: 80 }),
        (times, most) => {
          const curve = new RateCurve();
          for (const atMs of times.toSorted((a, b) => a - b)) curve.add(1e12 + atMs);
          const { columnMs, rates } = curve.columns(most);
          expect(rates.length).toBeLessThanOrEqual(most);
          expect(Math.round(rates.reduce((sum, rate) => sum + (rate * columnMs) / 1000, 0))).toBe(times.length);
        },
      ),
    );
  });

  it('is drawn in eight heights', () => {
    expect(sparkline([0, 1, 50, 99, 100])).toBe(' ▁▅██');
    expect(sparkline([])).toBe('');
  });
});
