import { expect, it } from 'vitest';
import { readSteal } from './steal.ts';

it('reads what was stolen and what there was', () => {
  expect(readSteal(() => 'cpu  10 20 30 400 5 6 7 80 9 9\ncpu0 1 2 3')).toEqual({ stolen: 80, total: 558 });
});

it.each(['', 'cpu 1 2', 'cpu a b c d e f g h', 'intr 1 2 3 4 5 6 7 8'])('knows nothing from %j', (text) => {
  expect(readSteal(() => text)).toBeUndefined();
});

it('knows nothing where there is no such file', () => {
  const read = (): string => {
    throw new Error('ENOENT');
  };
  expect(readSteal(read)).toBeUndefined();
});
