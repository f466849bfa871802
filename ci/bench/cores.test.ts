import { describe, expect, it } from 'vitest';
import { coreShares, parseCore, parseCoreList, parseCpuSeconds } from './cores.ts';

const STAT = `cpu  942946 480549 781233 2479855 27738 0 82538 120195 0 0
cpu0 459848 239206 375320 1278821 6646 10 37868 59923 0 0
cpu1 483098 241342 405912 1201033 21092 0 44669 60272 0 0
cpu10 1 1 1 1 1 1 1 1 0 0
intr 1 2 3
`;

describe('the kernel’s own accounts', () => {
  it('a core: what ran on it, what was stolen from it, all of it', () => {
    const core = parseCore(STAT, 0);
    expect(core.busy).toBeCloseTo(4598.48 + 2392.06 + 3753.2 + 0.1 + 378.68, 6);
    expect(core.interrupts).toBeCloseTo(0.1 + 378.68, 6);
    expect(core.steal).toBeCloseTo(599.23, 6);
    expect(core.total).toBeCloseTo(core.busy + 12_788.21 + 66.46 + 599.23, 6);
    expect(parseCore(STAT, 1).steal).toBeCloseTo(602.72, 6);
    expect(() => parseCore(STAT, 2)).toThrow('no core 2');
  });

  it('shares of the time between two readings', () => {
    const before = { busy: 10, interrupts: 1, steal: 1, total: 20 };
    expect(coreShares(before, { busy: 13, interrupts: 3, steal: 2, total: 24 })).toEqual({
      busy: 0.75,
      interrupts: 0.5,
      steal: 0.25,
    });
  });

  it('a process’s time, whatever its name', () => {
    const stat = '4242 (tool (v 2) x) S 1 4242 4242 0 -1 4194560 1 0 0 0 150 25 0 0 20 0 1 0 12345 1 1';
    expect(parseCpuSeconds(stat)).toBeCloseTo(1.75, 9);
  });

  it('lists of cores', () => {
    expect(parseCoreList('0-2,5')).toEqual([0, 1, 2, 5]);
    expect(parseCoreList('3')).toEqual([3]);
    expect(parseCoreList('')).toEqual([]);
  });
});
