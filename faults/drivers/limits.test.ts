import fc from 'fast-check';
import { expect, test } from 'vitest';
import { lowestLimit } from './limits.ts';

test('counts the holes among open descriptors, since the lowest free number is taken first', () => {
  expect(lowestLimit(new Set([0, 1, 2]), 0)).toBe(3);
  expect(lowestLimit(new Set([0, 1, 2, 7]), 0)).toBe(3);
  expect(lowestLimit(new Set([0, 1, 2, 4]), 1)).toBe(5);
});

test('under the limit exactly so many numbers are free as are to be left', () => {
  fc.assert(
    fc.property(fc.uniqueArray(fc.nat(60), { maxLength: 40 }), fc.nat(20), (open, leave) => {
      const limit = lowestLimit(new Set(open), leave);
      const free = Array.from({ length: limit }, (_none, number) => number).filter((number) => !open.includes(number));
      expect(free).toHaveLength(leave);
      // One more would be free, not open: else a higher limit would leave as many.
      expect(open).not.toContain(limit);
    }),
  );
});
