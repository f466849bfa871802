import { expect, it } from 'vitest';
import { parseSegment } from './segment.ts';

it('reads which part is meant, and when all of them begin', () => {
  expect(parseSegment({ segment: '2/5', startAt: '2026-11-11T00:00:00Z' }, 'existing')).toEqual({
    segment: { index: 2, of: 5 },
    startAtMs: Date.UTC(2026, 10, 11),
  });
  expect(parseSegment({ segment: '1/1' }, 'existing')).toEqual({ segment: { index: 1, of: 1 } });
  expect(parseSegment({ startAt: '1794355200.5' }, 'local')).toEqual({ startAtMs: 1_794_355_200_500 });
  expect(parseSegment({}, 'local')).toEqual({});
});

it.each([
  [{ segment: '6/5', startAt: '2026-11-11T00:00:00Z' }, 'existing', 'is not one of several'],
  [{ segment: '0/5', startAt: '2026-11-11T00:00:00Z' }, 'existing', 'is not one of several'],
  [{ segment: 'two' }, 'existing', 'is not one of several'],
  [{ segment: '2/5' }, 'existing', 'without --start-at'],
  [{ segment: '2/5', startAt: 'noon' }, 'existing', 'neither a time'],
  [{ segment: '2/5', startAt: '2026-11-11T00:00:00Z' }, 'local', 'a stack of its own'],
])('refuses %j on %s', (options, runtime, why) => {
  expect(() => parseSegment(options, runtime)).toThrow(why);
});
