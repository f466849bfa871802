import { describe, expect, it } from 'vitest';
import { Histogram } from '../core/histogram.ts';
import type { LoadSpec, LoadWindow } from '../spi/load.ts';
import { SampleWindows, type StepSample } from './sample-windows.ts';

const think = { fromMs: 0, toMs: 100 };
const steps = ['one', 'two', 'three'].map((name) => ({ name, think }));

function windowsOf(
  journeyWithinMs?: number,
  journeys: Record<string, { name: string }[]> = { buy: steps },
): SampleWindows {
  const names = Object.keys(journeys);
  const mix = names.map((journey) => ({ journey, share: 1 / names.length }));
  const good = { withinMs: 500, journeyWithinMs, shed: 'bad' };
  return new SampleWindows({ scenario: { name: 'sale', mix, journeys, good } } as unknown as LoadSpec);
}

const sample = (step: number, endedMs: number, extra: Partial<StepSample> = {}): StepSample => ({
  step,
  intendedMs: endedMs - 20,
  sentMs: endedMs - 19,
  endedMs,
  result: 'good',
  status: 200,
  body: null,
  traceparent: '',
  last: false,
  ...extra,
});

const start = (keyMs: number) => ({ journey: 0, keyMs, intendedMs: keyMs, sentMs: keyMs + 1 });
const row = (rows: readonly LoadWindow[], step?: string, fromMs = 0): LoadWindow | undefined =>
  rows.find((one) => one.step === step && one.fromMs === fromMs);

describe('windows of samples', () => {
  it('count a journey in the second of its start, and each later step in its own', () => {
    const windows = windowsOf();
    const journey = windows.begin(start(900));
    journey.step(sample(0, 920));
    journey.step(sample(1, 1050));
    journey.step(sample(2, 1100, { result: 'status', status: 500, last: true }));
    const { windows: rows, failures } = windows.output(Number.POSITIVE_INFINITY);
    expect(row(rows)).toMatchObject({ scheduled: 1, sent: 1, good: 0, bad: { status: 1 }, firstBadMs: 900 });
    expect(row(rows, 'one')).toMatchObject({ sent: 1, good: 1, latenessP99Ms: 1 });
    expect(row(rows, 'two', 1000)).toMatchObject({ sent: 1, good: 1 });
    expect(row(rows, 'three', 1000)).toMatchObject({ sent: 1, bad: { status: 1 } });
    // A bad journey took at least all that a good one may: 3 × 500 ms and thinking twice.
    expect(Histogram.decode(row(rows)!.fromIntended).quantile(1)).toBe(1_700_000);
    expect(Histogram.decode(row(rows)!.service).quantile(1)).toBe(199_000);
    expect(failures).toHaveLength(1);
    expect(windows.inFlight).toBe(0);
  });

  it('leave steps that conversion did not want apart from those that a failure took', () => {
    const windows = windowsOf();
    const gone = windows.begin(start(0));
    gone.step(sample(0, 20));
    gone.leave(1, 20);
    const failed = windows.begin(start(100));
    failed.step(sample(0, 120, { result: 'timeout', last: true }));
    const { windows: rows } = windows.output(Number.POSITIVE_INFINITY);
    expect(row(rows)).toMatchObject({ scheduled: 2, good: 1, bad: { timeout: 1 } });
    expect(row(rows, 'two')).toMatchObject({ left: 1, abandoned: 1, sent: 0 });
    expect(row(rows, 'three')).toMatchObject({ left: 1, abandoned: 1, sent: 0 });
    expect(windows.summary).toMatchObject({ scheduled: 2, sent: 2, good: 1, bad: 1 });
  });

  it('hold a journey to its own deadline, too', () => {
    const windows = windowsOf(50);
    const journey = windows.begin(start(0));
    journey.step(sample(0, 20));
    journey.step(sample(1, 40));
    journey.step(sample(2, 60, { last: true }));
    expect(row(windows.output(Number.POSITIVE_INFINITY).windows)).toMatchObject({ good: 0, bad: { timeout: 1 } });
  });

  it('are given out once at their deadline, and what comes later adds up', () => {
    const windows = windowsOf();
    const early = windows.begin(start(0));
    const late = windows.begin(start(10));
    early.step(sample(0, 20, { result: 'status', last: true }));
    expect(windows.output(1700).windows).toEqual([]);
    expect(row(windows.output(1800).windows)).toMatchObject({ scheduled: 2, bad: { status: 1 } });
    late.step(sample(0, 1810, { result: 'timeout', last: true }));
    expect(windows.output(1900).windows).toEqual([]);
    expect(row(windows.output(2900).windows)).toMatchObject({ scheduled: 0, bad: { timeout: 1 } });
  });

  it('count nothing before t = 0 in the totals', () => {
    const windows = windowsOf();
    windows.begin(start(-500)).step(sample(0, -480, { result: 'status', last: true }));
    windows.drop(0, -400, -400);
    expect(windows.summary).toMatchObject({ scheduled: 0, sent: 0, good: 0, bad: 0 });
    expect(row(windows.output(Number.POSITIVE_INFINITY).windows, undefined, -1000)).toMatchObject({
      scheduled: 2,
      droppedCap: 1,
    });
  });

  it('have rows of their own for 14 of more than 16 names, journeys first', () => {
    const journeys = Object.fromEntries(Array.from({ length: 6 }, (_, index) => [`j${index}`, steps]));
    const windows = windowsOf(undefined, journeys);
    for (let journey = 0; journey < 6; journey++) {
      const opened = windows.begin({ ...start(0), journey });
      for (let step = 0; step < 3; step++) opened.step(sample(step, 20 + step, { last: step === 2 }));
    }
    const { windows: rows } = windows.output(Number.POSITIVE_INFINITY);
    const own = rows.filter(({ journey }) => journey !== 'other');
    expect(own.filter(({ step }) => step === undefined)).toHaveLength(6);
    expect(own).toHaveLength(14);
    expect(rows.find(({ step }) => step === 'other')).toMatchObject({ journey: 'other', good: 18 - 8 });
  });
});
