import { expect, it } from 'vitest';
import { pacingOf } from './pacing.ts';

it.each([
  [1, 2, undefined, 'timer'],
  [1, 4, undefined, 'spin'],
  [2, 4, undefined, 'timer'],
  [2, 6, undefined, 'spin'],
  [1, 1, 'spin', 'spin'],
  [1, 64, 'timer', 'timer'],
  [1, 64, 'nonsense', 'spin'],
])('%d sending threads on %d cores, asked for %s: %s', (threads, cores, asked, pacing) => {
  expect(pacingOf(threads, asked, cores)).toBe(pacing);
});
