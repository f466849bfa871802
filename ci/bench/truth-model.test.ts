import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  arrivalLateness,
  comparePercentiles,
  loggedTruth,
  modelledTruth,
  type ServedRequest,
  serviceMs,
  stallsOf,
  type TruthScript,
} from './truth-model.ts';
import { parseLog } from './truth-server.ts';

const SCRIPT: TruthScript = {
  perSecond: 100,
  seconds: 10,
  cycleSeconds: 10,
  serviceMinMs: 2,
  serviceSpanMs: 38,
  stalls: [],
};
const T0 = 1_700_000_000_000;

describe('the modelled truth', () => {
  it('is the service time alone when nothing stalls', () => {
    const truth = modelledTruth(SCRIPT, [], T0);
    const services = Float64Array.from({ length: 1000 }, (_, k) => serviceMs(SCRIPT, k)).sort();
    expect(truth).toHaveLength(1000);
    truth.forEach((latency, index) => {
      expect(latency).toBeCloseTo(services[index]!, 3);
    });
    expect(truth[0]).toBeGreaterThanOrEqual(2);
    expect(truth.at(-1)).toBeLessThanOrEqual(40);
  });

  it('has whoever is intended in a stall wait until its end', () => {
    // A 1 s stall of a server that takes no time: starts 200 … 299 wait 1000, 990, … 10 ms.
    const script = { ...SCRIPT, serviceMinMs: 0, serviceSpanMs: 0 };
    const truth = modelledTruth(script, [{ plannedForMs: 1000, beganMs: T0 + 2000, endedMs: T0 + 3000 }], T0);
    const waiting = truth.filter((latency) => latency > 0);
    expect(waiting).toHaveLength(100);
    expect(waiting.at(-1)).toBe(1000);
    expect(waiting[0]).toBe(10);
  });

  it('holds back an answer that falls due in a stall', () => {
    const script = { ...SCRIPT, seconds: 0.01, serviceMinMs: 30, serviceSpanMs: 0 };
    const stall = { plannedForMs: 500, beganMs: T0 + 20, endedMs: T0 + 520 };
    expect([...modelledTruth(script, [stall], T0)]).toEqual([520]);
  });

  it('never lets a stall make anybody faster', () => {
    fc.assert(
      fc.property(fc.integer({ min: 0, max: 9000 }), fc.integer({ min: 1, max: 5000 }), (at, length) => {
        const calm = modelledTruth(SCRIPT, [], T0);
        const stall = { plannedForMs: length, beganMs: T0 + at, endedMs: T0 + at + length };
        const stalled = modelledTruth(SCRIPT, [stall], T0);
        expect(stalled.every((latency, index) => latency >= calm[index]! - 1e-3)).toBe(true);
      }),
      { numRuns: 30 },
    );
  });
});

describe('the script', () => {
  it('goes through the same stalls again in each whole cycle', () => {
    const stalls = [
      { atMs: 1000, forMs: 100 },
      { atMs: 5000, forMs: 1000 },
    ];
    expect(stallsOf({ ...SCRIPT, stalls })).toEqual(stalls);
    expect(stallsOf({ ...SCRIPT, stalls, seconds: 30 })).toEqual([
      ...stalls,
      { atMs: 11_000, forMs: 100 },
      { atMs: 15_000, forMs: 1000 },
      { atMs: 21_000, forMs: 100 },
      { atMs: 25_000, forMs: 1000 },
    ]);
  });
});

describe('the truth that the server logged', () => {
  const script = { perSecond: 100, seconds: 0.03 };
  const served = (number: number, arrivedMs: number, answeredMs: number): ServedRequest => ({
    number,
    arrivedMs: T0 + arrivedMs,
    answeredMs: T0 + answeredMs,
  });
  const all = [served(9, 20.5, 28), served(7, 0.5, 5), served(8, 12, 40)];

  it('goes from each intended start, by number, to the answer, in whatever order they came', () => {
    expect([...loggedTruth(all, script, T0)]).toEqual([5, 8, 30]);
    expect([...arrivalLateness(all, { perSecond: 100, count: 3 }, T0)]).toEqual([0.5, 0.5, 2]);
    // Number 7 was warm-up: the origin is number 8's intended start.
    expect([...arrivalLateness(all, { perSecond: 100, count: 2 }, T0 + 10)]).toEqual([0.5, 2]);
    expect(() => arrivalLateness(all, { perSecond: 100, count: 4 }, T0)).toThrow('saw 3 of 4');
  });

  it('is no truth when a start is missing, came twice or was never scheduled', () => {
    expect(() => loggedTruth(all.slice(1), script, T0)).toThrow('never answered start 2 of 3');
    expect(() => loggedTruth([...all, served(8, 1, 2)], script, T0)).toThrow('start 1 twice');
    expect(() => loggedTruth([...all, served(10, 1, 2)], script, T0)).toThrow('start 3, and there are 3');
    expect(() => loggedTruth([...all, served(-1, 1, 2)], script, T0)).toThrow('without a number');
  });

  it('is read from the log with its microseconds, without what was never answered', () => {
    const bytes = Buffer.alloc(48);
    bytes.writeBigInt64LE(42n, 0);
    bytes.writeBigInt64LE(1_700_000_000_000_123_456n, 8);
    bytes.writeBigInt64LE(1_700_000_000_007_000_000n, 16);
    bytes.writeBigInt64LE(43n, 24);
    expect(parseLog(bytes)).toEqual([{ number: 42, arrivedMs: 1_700_000_000_000.123, answeredMs: 1_700_000_000_007 }]);
  });
});

describe('a reported percentile', () => {
  const sorted = Float64Array.from({ length: 10_000 }, (_, index) => (index + 1) / 10);
  const judged = (percentile: number, reportedMs: number | undefined) =>
    comparePercentiles(sorted, (one) => (one === percentile ? reportedMs : undefined)).find(
      (one) => one.percentile === percentile,
    )!;

  it('holds within 2 % or 2 ms of the truth, whichever is more', () => {
    expect(judged(50, 509).holds).toBe(true);
    expect(judged(50, 511).holds).toBe(false);
    expect(judged(50, 489).holds).toBe(false);
    const small = Float64Array.from(sorted, (value) => value / 100);
    expect(comparePercentiles(small, () => 6.9)[0]).toMatchObject({ percentile: 50, trueMs: 5, holds: true });
    expect(comparePercentiles(small, () => 7.1)[0]).toMatchObject({ holds: false });
  });

  it('is not blamed for what the truth itself may be off', () => {
    expect(comparePercentiles(sorted, () => 515)[0]).toMatchObject({ holds: false });
    expect(
      comparePercentiles(
        sorted,
        () => 515,
        () => 5,
      )[0],
    ).toMatchObject({ holds: true });
  });

  it('is not judged with fewer than 100 samples beyond it, or when it was not reported', () => {
    expect(judged(99, 990)).toMatchObject({ beyond: 100, holds: true });
    expect(judged(99.5, 1)).toMatchObject({ beyond: 50, holds: undefined });
    expect(judged(50, undefined).holds).toBeUndefined();
  });
});
