import { setTimeout as sleep } from 'node:timers/promises';
import { expect, it } from 'vitest';
import { together } from './task-group.ts';

it('aborts the others at the first failure and settles only when all have', async () => {
  const ended: string[] = [];
  const slow = async (signal: AbortSignal): Promise<void> => {
    await sleep(10_000, undefined, { signal }).catch(() => undefined);
    await sleep(20);
    ended.push('slow');
  };
  const failing = async (): Promise<void> => {
    throw new Error('first');
  };
  const work = together(new AbortController().signal, [slow, failing]);
  await expect(work).rejects.toThrow('first');
  expect(ended).toEqual(['slow']);
});

it('starts nothing when it is over already, and passes on why', async () => {
  let started = false;
  const work = async (): Promise<void> => {
    started = true;
  };
  await expect(together(AbortSignal.abort(new Error('over')), [work])).rejects.toThrow('over');
  expect(started).toBe(false);
});
