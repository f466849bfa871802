import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { LoadSpec, LoadWindow } from '../spi/load.ts';
import { planK6 } from './k6-plan.ts';
import { K6Reader } from './k6-reader.ts';
import { type SampleOutput, SampleWindows } from './sample-windows.ts';

const ORIGIN_MS = 1_700_000_000_000;
/** What k6's clock's zero is, in ms from t = 0. */
const ZERO_MS = -10;
const step = { think: { fromMs: 0, toMs: 0 }, expect: [200], name: 'one' };

function specOf(rate: number, users: number): LoadSpec {
  return {
    scenario: {
      name: 'sale',
      executor: 'constant-arrival-rate',
      segments: [{ fromRate: rate, toRate: rate, durationMs: 4000 }],
      warmUpRate: rate,
      warmUpMs: 0,
      mix: [{ journey: 'a', share: 1 }],
      journeys: { a: [step, { ...step, name: 'two' }] },
      good: { withinMs: 1000, journeyWithinMs: undefined, shed: 'bad' },
      inFlightMax: users,
    },
    steadyMs: 0,
    drainMs: 1000,
  } as unknown as LoadSpec;
}

/** Ms from t = 0 on k6's clock. */
const micros = (ms: number): number => Math.round((ms - ZERO_MS) * 1000);

class Told {
  readonly windows: SampleWindows;
  readonly reader: K6Reader;
  readonly isWhole: boolean;

  constructor(spec: LoadSpec, isWhole = true) {
    this.windows = new SampleWindows(spec);
    this.reader = new K6Reader(spec, planK6(spec), this.windows, ORIGIN_MS);
    this.isWhole = isWhole;
    this.say('o', 'load', micros(0), (ORIGIN_MS + ZERO_MS) * 1000);
  }

  say(...fields: unknown[]): void {
    this.reader.line(JSON.stringify(fields));
  }

  begin(i: number, ms: number): void {
    this.say('b', 'load', i, 0, micros(ms));
  }

  end(i: number, fromMs: number, ms: number, result = 'good'): void {
    this.say('s', 'load', i, 0, 0, micros(fromMs), micros(ms), result, 200, 0);
    if (result === 'good') this.say('s', 'load', i, 1, micros(ms), micros(ms), micros(ms), result, 200, 1);
  }

  finish(): SampleOutput {
    this.reader.finish(6000, this.isWhole);
    return this.windows.output(Number.POSITIVE_INFINITY);
  }
}

const wholes = ({ windows }: SampleOutput): LoadWindow[] => windows.filter((row) => row.step === undefined);

describe('k6’s starts', () => {
  it('are those of the schedule where none was dropped, however late k6 is', () => {
    const told = new Told(specOf(10, 100));
    for (let i = 0; i < 40; i++) {
      const sentMs = i * 100 + (i === 20 ? 90 : 1);
      told.begin(i, sentMs);
      told.end(i, sentMs, sentMs + 5);
    }
    const rows = wholes(told.finish());
    expect(rows.map(({ fromMs, scheduled, good, droppedCap }) => [fromMs, scheduled, good, droppedCap])).toEqual([
      [0, 10, 10, 0],
      [1000, 10, 10, 0],
      [2000, 10, 10, 0],
      [3000, 10, 10, 0],
    ]);
    expect(rows[2]!.latenessP99Ms).toBeCloseTo(90, 5);
  });

  it('that fell due while all users were busy were dropped, in their own seconds', () => {
    const told = new Told(specOf(10, 1));
    told.begin(0, 0);
    // Busy until 2,450 ms: those of 100 to 2,400 ms found nobody.
    told.end(0, 0, 2450, 'status');
    for (let i = 1; i <= 15; i++) {
      const sentMs = 2500 + (i - 1) * 100;
      told.begin(i, sentMs);
      told.end(i, sentMs, sentMs + 10);
    }
    const rows = wholes(told.finish());
    expect(rows.map(({ fromMs, droppedCap, sent }) => [fromMs, droppedCap, sent])).toEqual([
      [0, 9, 1],
      [1000, 10, 0],
      [2000, 5, 5],
      [3000, 0, 10],
    ]);
    expect(told.windows.summary).toMatchObject({ scheduled: 40, sent: 16, good: 15, bad: 25 });
  });

  it('are known to be dropped while nothing begins or ends, so that a guard sees a stall', () => {
    const told = new Told(specOf(10, 1));
    told.begin(0, 0);
    told.reader.tick(3000);
    expect(told.windows.summary.bad).toBe(28);
  });

  it('that were on their way when k6 was ended are unfinished', () => {
    const told = new Told(specOf(10, 100), false);
    for (let i = 0; i < 5; i++) told.begin(i, i * 100);
    told.end(0, 0, 50);
    const rows = wholes(told.finish());
    expect(rows[0]).toMatchObject({ scheduled: 5, sent: 5, good: 1, bad: { unfinished: 4 } });
    expect(told.windows.summary.scheduled).toBe(5);
  });

  it('are timed from when k6 meant to start them, and late by what it began too late', () => {
    const spec = specOf(10, 100);
    const windows = new SampleWindows(spec);
    const reader = new K6Reader(spec, planK6(spec), windows, ORIGIN_MS);
    reader.line(JSON.stringify(['b', 'load', 0, 0, micros(30)]));
    reader.line(JSON.stringify(['o', 'load', micros(30), (ORIGIN_MS + ZERO_MS) * 1000]));
    reader.line(JSON.stringify(['s', 'load', 0, 0, 0, micros(30), micros(40), 'status', 500, 1]));
    const { windows: rows, failures } = windows.output(Number.POSITIVE_INFINITY);
    expect(rows[0]!.latenessP99Ms).toBe(30);
    expect(failures[0]).toMatchObject({ intendedMs: 30, sentMs: 30, endedMs: 40, class: 'status' });
  });
});

describe('starts that the script itself waits for', () => {
  const poisson = (): LoadSpec => {
    const spec = specOf(10, 3);
    return { ...spec, seed: 1, scenario: { ...spec.scenario, executor: 'poisson' } };
  };
  const dues = (): readonly number[] => planK6(poisson()).phases[0]!.dues!;

  it('are told by number, in whatever order; those left out are dropped in their own second', () => {
    const told = new Told(poisson());
    const at = dues();
    // On k6's clock the phase began as planned, 200 ms before t = 0.
    told.say('o', 'load', micros(-200), (ORIGIN_MS + ZERO_MS) * 1000);
    told.begin(1, at[1]! + 1);
    told.begin(0, at[0]! + 1);
    told.end(0, at[0]! + 1, at[0]! + 6);
    told.end(1, at[1]! + 1, at[1]! + 6);
    told.say('d', 'load', 2, micros(at[2]! + 300));
    const rows = wholes(told.finish());
    expect(told.windows.summary).toMatchObject({ scheduled: at.length, sent: 2, good: 2, bad: at.length - 2 });
    const inFirst = at.filter((due) => due < 1000).length;
    expect(rows[0]).toMatchObject({ fromMs: 0, scheduled: inFirst, droppedCap: inFirst - 2 });
  });

  it('end where a feed has no row any more, and what comes after is not held against anybody', () => {
    const told = new Told(poisson());
    const at = dues();
    told.say('o', 'load', micros(-200), (ORIGIN_MS + ZERO_MS) * 1000);
    told.begin(0, at[0]!);
    told.end(0, at[0]!, at[0]! + 5);
    told.say('y', 'load', 2, micros(at[2]!));
    told.say('y', 'load', 1, micros(at[1]!));
    told.finish();
    expect(told.reader.dryMs).toBe(at[1]);
    expect(told.windows.summary).toMatchObject({ scheduled: 1, good: 1, bad: 0 });
  });
});

it('loses no start and counts none twice, whatever the users are busy with', () => {
  const busy = fc.array(fc.integer({ min: 1, max: 1500 }), { minLength: 40, maxLength: 40 });
  fc.assert(
    fc.property(fc.integer({ min: 1, max: 5 }), busy, (users, tookMs) => {
      const told = new Told(specOf(10, users));
      // As k6 does it: each start takes a free user or is left out.
      let ends: { i: number; fromMs: number; atMs: number }[] = [];
      let [begun, left] = [0, 0];
      for (let due = 0; due < 4000; due += 100) {
        const over = ends.filter(({ atMs }) => atMs <= due).toSorted((a, b) => a.atMs - b.atMs);
        for (const { i, fromMs, atMs } of over) told.end(i, fromMs, atMs, atMs - fromMs > 1000 ? 'status' : 'good');
        ends = ends.filter(({ atMs }) => atMs > due);
        if (ends.length >= users) {
          left++;
          continue;
        }
        told.begin(begun, due);
        ends.push({ i: begun, fromMs: due, atMs: due + tookMs[begun]! });
        begun++;
      }
      for (const { i, fromMs, atMs } of ends) told.end(i, fromMs, atMs, 'good');
      const { windows } = told.finish();
      const sum = (rows: LoadWindow[], of: (row: LoadWindow) => number): number =>
        rows.reduce((all, row) => all + of(row), 0);
      const bads = (row: LoadWindow): number => Object.values(row.bad).reduce((a, b) => a + b, 0);
      const whole = windows.filter((row) => row.step === undefined);
      expect(sum(whole, (row) => row.scheduled)).toBe(40);
      expect(sum(whole, (row) => row.sent)).toBe(begun);
      expect(sum(whole, (row) => row.droppedCap)).toBe(left);
      for (const row of whole) expect(row.scheduled).toBe(row.good + bads(row) + row.excluded + row.droppedLate);
      for (const name of ['one', 'two']) {
        const rows = windows.filter((row) => row.step === name);
        expect(sum(rows, (row) => row.good + bads(row) + row.droppedLate + row.abandoned)).toBe(40);
      }
    }),
    { numRuns: 100 },
  );
});
