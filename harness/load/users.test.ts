import fc from 'fast-check';
import { expect, it } from 'vitest';
import { Users } from './users.ts';

it('is a ramp and a plateau before t = 0, the stages from it, and nobody at the end', () => {
  const scenario = { segments: [{ fromRate: 20, toRate: 40, durationMs: 1000 }], warmUpRate: 20, warmUpMs: 1000 };
  const users = new Users(scenario, { steadyMs: 500 });
  expect([-1501, -1500, -1000, -500, -1].map((ms) => users.at(ms))).toEqual([0, 0, 10, 20, 20]);
  expect([0, 500, 999, 1000].map((ms) => users.at(ms))).toEqual([20, 30, 39, 0]);
});

it('is shared out among stripes without loss', () => {
  fc.assert(
    fc.property(fc.integer({ min: 0, max: 500 }), fc.integer({ min: 1, max: 9 }), (count, of) => {
      const scenario = {
        segments: [{ fromRate: count, toRate: count, durationMs: 100 }],
        warmUpRate: count,
        warmUpMs: 0,
      };
      const parts = Array.from({ length: of }, (_, index) =>
        new Users(scenario, { steadyMs: 0, stripe: { index, of } }).at(50),
      );
      expect(parts.reduce((sum, part) => sum + part, 0)).toBe(count);
      expect(Math.max(...parts) - Math.min(...parts)).toBeLessThanOrEqual(1);
    }),
  );
});
