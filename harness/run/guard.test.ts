import { describe, expect, it } from 'vitest';
import type { LoadWindow } from '../spi/load.ts';
import { Guard } from './guard.ts';

function row(second: number, good: number, bad: number, scenario = 'sale'): LoadWindow {
  return {
    scenario,
    journey: 'pay',
    fromMs: second * 1000,
    toMs: (second + 1) * 1000,
    scheduled: good + bad,
    sent: good + bad,
    droppedCap: 0,
    droppedLate: 0,
    abandoned: 0,
    good,
    bad: { timeout: bad },
    excluded: 0,
    latenessP99Ms: 0,
    inFlightMax: 1,
    fromIntended: '',
    service: '',
  };
}

const guard = () => new Guard({ blastRadius: undefined, abortWhen: [{ of: 'sale', badRatio: 0.05, overMs: 10_000 }] });

describe('the guard', () => {
  it('trips at 16 bad of 200 and not at 15: the lower 95 % bound must exceed 5 %', () => {
    expect(guard().see(row(0, 185, 15))).toBeUndefined();
    expect(guard().see(row(0, 184, 16))).toMatchObject({ bad: 16, total: 200, of: 'sale' });
  });

  it('does not trip on one unlucky request', () => {
    expect(guard().see(row(0, 0, 1))).toBeUndefined();
  });

  it('adds up rows of one second and forgets seconds older than the rule looks back', () => {
    const one = guard();
    expect(one.see(row(0, 92, 8))).toBeUndefined();
    expect(one.see(row(0, 92, 8))).toBeDefined();
    const two = guard();
    expect(two.see(row(0, 92, 8))).toBeUndefined();
    expect(two.see(row(10, 92, 8))).toBeUndefined();
  });

  it('looks at its own scenario, from t = 0 on', () => {
    const one = guard();
    expect(one.see(row(1, 0, 500, 'other'))).toBeUndefined();
    expect(one.see(row(-1, 0, 500))).toBeUndefined();
  });
});
