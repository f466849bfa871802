import fc from 'fast-check';
import { expect, it } from 'vitest';
import { labelsOf } from './labels.ts';
import { Mix } from './mix.ts';
import { RegionalMix } from './regional-mix.ts';

const weights = (most: number) => fc.array(fc.integer({ min: 1, max: 100 }), { minLength: 1, maxLength: most });
const sharesOf = (parts: readonly number[]): number[] => {
  const total = parts.reduce((sum, part) => sum + part, 0);
  return parts.map((part) => part / total);
};

it('deals journeys as without regions, and of each journey every region its share to within 1 over every prefix', () => {
  fc.assert(
    fc.property(weights(5), weights(4), (ofJourneys, ofRegions) => {
      const [journeys, regions] = [sharesOf(ofJourneys), sharesOf(ofRegions)];
      const mix = new RegionalMix(journeys, regions);
      const plain = new Mix(journeys);
      const dealt = journeys.map(() => regions.map(() => 0));
      let farthest = 0;
      for (let start = 0; start < 400; start++) {
        const lane = mix.next();
        const journey = lane % journeys.length;
        expect(journey).toBe(plain.next());
        dealt[journey]![Math.floor(lane / journeys.length)]!++;
        const count = dealt[journey]!.reduce((sum, one) => sum + one, 0);
        const off = regions.map((share, region) => Math.abs(dealt[journey]![region]! - share * count));
        farthest = Math.max(farthest, ...off);
      }
      expect(farthest).toBeLessThan(1 + 1e-6);
    }),
    { numRuns: 60 },
  );
});

it('lets no journey come from one region only because both have the same shares', () => {
  const mix = new RegionalMix([0.5, 0.5], [0.5, 0.5]);
  const lanes = Array.from({ length: 400 }, () => mix.next());
  expect([0, 1, 2, 3].map((lane) => lanes.filter((one) => one === lane).length)).toEqual([100, 100, 100, 100]);
});

it('gives each journey of each region a label of its own, and steps theirs whatever the region', () => {
  const journeys = [
    { name: 'browse', steps: [{ name: 'look' }] },
    { name: 'pay', steps: [{ name: 'order' }, { name: 'pay' }] },
  ];
  const { labels, of } = labelsOf(journeys, ['near', 'far']);
  expect(labels).toEqual([
    { journey: 'browse', region: 'near' },
    { journey: 'pay', region: 'near' },
    { journey: 'browse', region: 'far' },
    { journey: 'pay', region: 'far' },
    { journey: 'browse', step: 'look' },
    { journey: 'pay', step: 'order' },
    { journey: 'pay', step: 'pay' },
  ]);
  expect(of).toEqual([
    { journey: 0, steps: [4] },
    { journey: 1, steps: [5, 6] },
    { journey: 2, steps: [4] },
    { journey: 3, steps: [5, 6] },
  ]);
});
