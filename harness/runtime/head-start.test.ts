import { expect, it } from 'vitest';
import { HeadStart } from './head-start.ts';

const never = new AbortController().signal;

it('is over when all that go first are done', async () => {
  const start = new HeadStart(['a', 'b']);
  const seen: string[] = [];
  const waiting = start.over(60_000, never).then(() => seen.push('over'));
  start.done('a');
  start.done('other');
  await new Promise(setImmediate);
  expect(seen).toEqual([]);
  start.done('b');
  await waiting;
  expect(seen).toEqual(['over']);
});

it('is over at once without anybody to go first, after a while with somebody slow, and not at all when aborted', async () => {
  await new HeadStart([]).over(60_000, never);
  await new HeadStart(['slow']).over(1, never);
  await expect(new HeadStart(['slow']).over(60_000, AbortSignal.abort(new Error('enough')))).rejects.toThrow('aborted');
});
