import { describe, expect, it } from 'vitest';
import { Histogram } from '../core/histogram.ts';
import type { LoadWindow } from '../spi/load.ts';
import { Wellness } from './wellness.ts';

const EMPTY = new Histogram().encode();

function row(second: number, good: number, bad: number, scenario = 'sale'): LoadWindow {
  return {
    ...{ scenario, journey: 'browse', fromMs: second * 1000, toMs: (second + 1) * 1000 },
    ...{ scheduled: good + bad, sent: good + bad, droppedCap: 0, droppedLate: 0, abandoned: 0, excluded: 0 },
    ...{ good, bad: { timeout: bad }, latenessP99Ms: 0, inFlightMax: 1, fromIntended: EMPTY, service: EMPTY },
  };
}

function seen(rows: readonly LoadWindow[], goodRatio = 0.99): Wellness {
  const wellness = new Wellness(goodRatio);
  for (const one of rows) wellness.see(one);
  return wellness;
}

const well = [0, 1, 2, 3, 4, 5, 6, 7].map((second) => row(second, 20, 0));

describe('how well the system is', () => {
  it('is not judged by one unlucky journey, nor by nothing', () => {
    expect(seen([...well, row(8, 19, 1)]).sickSince(0)).toBeUndefined();
    expect(seen([row(0, 0, 1)], 0.95).sickSince(0)).toBeUndefined();
    expect(seen([]).sickSince(0)).toBeUndefined();
    expect(seen([...well, row(8, 14, 6)]).sickSince(0)).toContain('6 of 100 journeys of sale');
  });

  it('is judged by the last five seconds alone, and by those after the moment', () => {
    expect(seen([row(0, 0, 20), ...well.slice(1)]).sickSince(0)).toBeUndefined();
    const bad = seen([...well.slice(0, 6), row(6, 0, 20), row(7, 20, 0)]);
    expect(bad.sickSince(0)).toBeDefined();
    expect(bad.sickSince(6500)).toBeUndefined();
  });

  it('is sick when one of several scenarios is', () => {
    expect(seen([...well, row(7, 0, 20, 'real-users')]).sickSince(0)).toContain('20 of 20 journeys of real-users');
  });

  it('is recovered when five whole seconds after the heal are good in every scenario', () => {
    expect(seen(well).recoveredSince(2000)).toBe(true);
    expect(seen(well).recoveredSince(2001)).toBe(false);
    const others = [3, 4, 5, 6, 7].map((second) => row(second, second === 5 ? 0 : 9, second === 5 ? 9 : 0, 'other'));
    expect(seen([...well, ...others]).recoveredSince(1000)).toBe(false);
    expect(seen([]).recoveredSince(0)).toBe(false);
  });
});
