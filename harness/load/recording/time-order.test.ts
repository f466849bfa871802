import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { SecondSpread } from './second-spread.ts';
import { REORDER_WINDOW_MS, REORDER_WINDOW_REQUESTS, TimeOrder } from './time-order.ts';

function ordered(times: readonly number[]): { order: TimeOrder; given: [atMs: number, row: number][] } {
  const given: [number, number][] = [];
  const order = new TimeOrder((atMs, row) => given.push([atMs, row]));
  times.forEach((atMs, row) => {
    order.add(atMs, row);
    order.settle();
  });
  order.finish();
  return { order, given };
}

describe('the reorder window', () => {
  it('puts in order what is out of it by less than the window, and nothing is late', () => {
    const jitter = fc.array(fc.tuple(fc.nat(5000), fc.nat(REORDER_WINDOW_MS - 1000)), { maxLength: 200 });
    fc.assert(
      fc.property(jitter, (steps) => {
        let nowMs = 1e12;
        const times = steps.map(([stepMs, tookMs]) => {
          nowMs += stepMs;
          return nowMs - tookMs;
        });
        const { order, given } = ordered(times);
        const sorted = times.map((atMs, row): [number, number] => [atMs, row]).sort(([a], [b]) => a - b);
        expect(given).toEqual(sorted);
        expect(order.late).toBe(0);
      }),
    );
  });

  it('counts what comes later, keeps it, and never goes back in time', () => {
    const { order, given } = ordered([0, 200_000, 5_000, 300_000, 100_000].map((ms) => 1e12 + ms));
    expect(given.map(([atMs]) => atMs - 1e12)).toEqual([0, 5_000, 200_000, 200_000, 300_000]);
    expect(given.map(([, row]) => row)).toEqual([0, 2, 1, 4, 3]);
    expect(order.late).toBe(1);
    expect(order.lateByMs).toBe(100_000);
  });

  it('holds no more than its bound', () => {
    let most = 0;
    const order = new TimeOrder(() => {});
    for (let row = 0; row < REORDER_WINDOW_REQUESTS + 5000; row++) {
      order.add(1e12 + row / 100, row);
      most = Math.max(most, order.held);
    }
    expect(most).toBe(REORDER_WINDOW_REQUESTS);
  });
});

describe('whole seconds', () => {
  function spread(lines: readonly [atMs: number, tookMs: number][]): [atMs: number, row: number][] {
    const given: [number, number][] = [];
    const book = new SecondSpread((atMs, row) => given.push([atMs, row]));
    lines.forEach(([atMs, tookMs], row) => {
      book.add(atMs, tookMs, row);
    });
    book.finish();
    expect(book.spread).toBe(lines.length);
    return given.sort(([, a], [, b]) => a - b);
  }

  it('are spread evenly, in the order of the lines', () => {
    expect(
      spread([
        [1000, 0],
        [1000, 0],
        [1000, 0],
        [1000, 0],
        [2000, 0],
      ]).map(([atMs]) => atMs),
    ).toEqual([1125, 1375, 1625, 1875, 2500]);
  });

  it('of the end lose what the request took', () => {
    expect(
      spread([
        [1000, 300],
        [1000, 20],
      ]).map(([atMs]) => atMs),
    ).toEqual([950, 1730]);
  });

  it('may come a little out of order, as servers write in buffers', () => {
    expect(
      spread([
        [3000, 0],
        [1000, 0],
        [3000, 0],
        [1000, 0],
      ]).map(([atMs]) => atMs),
    ).toEqual([3250, 1250, 3750, 1750]);
  });

  it('keep their order and their second when there are more of them than can be held', () => {
    const times = spread(Array.from({ length: 120_000 }, () => [1000, 0])).map(([atMs]) => atMs);
    expect(times.every((atMs, at) => at === 0 || atMs > times[at - 1]!)).toBe(true);
    expect(times[0]).toBeGreaterThanOrEqual(1000);
    expect(times.at(-1)).toBeLessThan(2000);
  });
});
