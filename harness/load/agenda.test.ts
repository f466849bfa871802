import fc from 'fast-check';
import { expect, it } from 'vitest';
import { Agenda } from './agenda.ts';

it('does things in the order of their times, equal ones in the order of entry', () => {
  fc.assert(
    fc.property(fc.array(fc.integer({ min: 0, max: 20 })), fc.integer({ min: 0, max: 25 }), (times, until) => {
      const agenda = new Agenda();
      const done: [number, number][] = [];
      for (const [entry, atMs] of times.entries()) agenda.add(atMs, () => done.push([atMs, entry]));
      const sorted = times
        .map((atMs, entry): [number, number] => [atMs, entry])
        .sort((a, b) => a[0] - b[0] || a[1] - b[1]);
      agenda.runUntil(until);
      expect(done).toEqual(sorted.filter(([atMs]) => atMs <= until));
      agenda.runUntil(Number.POSITIVE_INFINITY);
      expect(done).toEqual(sorted);
    }),
  );
});

it('does what is added meanwhile, when it is due', () => {
  const agenda = new Agenda();
  const done: string[] = [];
  agenda.add(1, () => {
    done.push('a');
    agenda.add(1, () => done.push('b'));
    agenda.add(3, () => done.push('c'));
  });
  agenda.runUntil(2);
  expect(done).toEqual(['a', 'b']);
});
