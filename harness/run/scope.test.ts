import { describe, expect, it } from 'vitest';
import { Scope } from './scope.ts';

describe('a scope', () => {
  it('undoes last first, goes on after a failure, names it, and does nothing twice', async () => {
    const done: string[] = [];
    const scope = new Scope();
    scope.defer('a', 1000, async () => void done.push('a'));
    scope.defer('b', 1000, () => Promise.reject(new Error('stuck')));
    scope.defer('c', 1000, async () => void done.push('c'));
    expect(await scope.unwind()).toEqual(['b: stuck']);
    expect(done).toEqual(['c', 'a']);
    expect(await scope.unwind()).toEqual([]);
  });

  it('gives each undo its own deadline: one that hangs does not keep the next from its turn', async () => {
    const done: string[] = [];
    const scope = new Scope();
    scope.defer('next', 1000, async () => void done.push('next'));
    scope.defer('hangs', 10, () => new Promise(() => {}));
    expect(await scope.unwind()).toEqual([expect.stringContaining('hangs: not done within 10 ms')]);
    expect(done).toEqual(['next']);
  });
});
