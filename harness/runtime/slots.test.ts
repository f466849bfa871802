import { setTimeout as sleep } from 'node:timers/promises';
import { expect, it } from 'vitest';
import { Slots } from './slots.ts';

it('lets so many works run at once and no more, whether they fail or not', async () => {
  const slots = new Slots(2);
  let running = 0;
  let most = 0;
  const work = async (index: number): Promise<number> => {
    running += 1;
    most = Math.max(most, running);
    await sleep(5);
    running -= 1;
    if (index === 1) throw new Error('one fails');
    return index;
  };
  const all = await Promise.allSettled([0, 1, 2, 3, 4].map((index) => slots.run(() => work(index))));
  expect(all.map(({ status }) => status)).toEqual(['fulfilled', 'rejected', 'fulfilled', 'fulfilled', 'fulfilled']);
  expect([most, running]).toEqual([2, 0]);
});
