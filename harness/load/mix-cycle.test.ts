import fc from 'fast-check';
import { expect, it } from 'vitest';
import { Mix } from './mix.ts';
import { mixCycle } from './mix-cycle.ts';

it('repeats what the mix deals, however long it goes on', () => {
  fc.assert(
    fc.property(fc.array(fc.integer({ min: 0, max: 40 }), { minLength: 1, maxLength: 6 }), (weights) => {
      const total = weights.reduce((sum, weight) => sum + weight, 0);
      fc.pre(total > 0);
      const shares = weights.map((weight) => weight / total);
      const cycle = mixCycle(shares);
      expect(cycle.length).toBeLessThanOrEqual(total);
      const mix = new Mix(shares);
      for (let start = 0; start < 3 * cycle.length; start++) expect(cycle[start % cycle.length]).toBe(mix.next());
    }),
    { numRuns: 60 },
  );
});

it('rounds shares that no short cycle has to ten-thousandths', () => {
  const cycle = mixCycle([Math.SQRT1_2, 1 - Math.SQRT1_2]);
  expect(cycle).toHaveLength(10_000);
  expect(cycle.filter((journey) => journey === 0)).toHaveLength(7071);
});
