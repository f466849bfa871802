import fc from 'fast-check';
import { expect, test } from 'vitest';
import { majorityRing, RING_MIN } from './majority-ring.ts';

test('each hears a majority with itself in it, no two the same', () => {
  fc.assert(
    fc.property(fc.integer({ min: RING_MIN, max: 40 }), (count) => {
      const nodes = Array.from({ length: count }, (_, index) => `n${index}`);
      const ring = majorityRing(nodes);
      const views = new Set([...ring.values()].map((view) => [...view].toSorted().join()));
      expect(views.size).toBe(count);
      for (const [node, view] of ring) {
        expect(view.has(node)).toBe(true);
        expect(view.size).toBe(Math.floor(count / 2) + 1);
        expect(view.size).toBeLessThan(count);
      }
    }),
  );
});

test('five hear their neighbours, three hear the next one', () => {
  expect([...majorityRing(['a', 'b', 'c', 'd', 'e']).get('a')!]).toEqual(['e', 'a', 'b']);
  const three = majorityRing(['a', 'b', 'c']);
  expect([...three].map(([node, view]) => `${node} hears ${[...view].join('')}`)).toEqual([
    'a hears ab',
    'b hears bc',
    'c hears ca',
  ]);
});
