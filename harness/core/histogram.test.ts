import fc from 'fast-check';
import { expect, it } from 'vitest';
import { BitReader, BitWriter } from './bits.ts';
import { Histogram } from './histogram.ts';

const values = fc.array(fc.oneof(fc.integer({ min: 0, max: 3000 }), fc.integer({ min: 0, max: 2 ** 36 - 1 })));

function of(recorded: readonly number[]): Histogram {
  const histogram = new Histogram();
  for (const value of recorded) histogram.record(value);
  return histogram;
}

it('gives every quantile to better than 0.1 %, never below the recorded value', () => {
  fc.assert(
    fc.property(
      fc.array(fc.integer({ min: 0, max: 2 ** 36 - 1 }), { minLength: 1 }),
      fc.double({ min: 0, max: 1, noNaN: true }),
      (recorded, q) => {
        const exact = [...recorded].sort((a, b) => a - b)[Math.max(1, Math.ceil(q * recorded.length)) - 1]!;
        const value = of(recorded).quantile(q);
        expect(value).toBeGreaterThanOrEqual(exact);
        expect(value).toBeLessThanOrEqual(exact * 1.001);
      },
    ),
  );
});

it('survives its text, and merging loses nothing', () => {
  fc.assert(
    fc.property(values, values, fc.integer({ min: 1, max: 2 ** 40 }), (left, right, times) => {
      const first = of(left);
      first.record(77, times);
      const merged = Histogram.decode(first.encode());
      merged.merge(Histogram.decode(of(right).encode()));
      const whole = of([...left, ...right]);
      whole.record(77, times);
      expect(merged.encode()).toBe(whole.encode());
      expect([merged.count, merged.max]).toEqual([whole.count, whole.max]);
      for (const q of [0, 0.5, 0.99, 1]) expect(merged.quantile(q)).toBe(whole.quantile(q));
    }),
  );
});

it('is short for what is usual, and empty for nothing', () => {
  expect(new Histogram().encode()).toBe('');
  expect(Histogram.decode('').count).toBe(0);
  expect(of([12_345]).encode().length).toBeLessThanOrEqual(10);
});

it('refuses text that is not one', () => {
  const text = of([1, 500, 70_000, 2_000_000]).encode();
  expect(() => Histogram.decode(text.slice(0, 6))).toThrow(RangeError);
  expect(() => Histogram.decode('AAAAAAAAAAAA')).toThrow(RangeError);
});

it('writes and reads whole numbers of any size and order', () => {
  const numbers = fc.array(
    fc.tuple(
      fc.oneof(
        fc.nat(300),
        fc.maxSafeNat().map((n) => Math.floor(n / 2)),
      ),
      fc.integer({ min: 0, max: 16 }),
    ),
  );
  fc.assert(
    fc.property(numbers, (pairs) => {
      const writer = new BitWriter();
      for (const [value, order] of pairs) writer.write(value, order);
      const reader = new BitReader(writer.bytes());
      expect(pairs.map(([, order]) => reader.read(order))).toEqual(pairs.map(([value]) => value));
    }),
  );
});
