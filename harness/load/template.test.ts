import { expect, it } from 'vitest';
import { fill, fillJson, isFilledBy, pointedAt, templateOf } from './template.ts';

const values = new Map<string, string | number | boolean>([
  ['n', 'sale-7'],
  ['id', 42],
  ['odd', 'a/b c'],
]);

it('fills what has a value and leaves the rest as it is written', () => {
  expect(fill(templateOf('/orders/{id}/{n}?x={y}&z={}'), values)).toBe('/orders/42/sale-7?x={y}&z={}');
  expect(fill(templateOf('plain'), values)).toBe('plain');
  expect(fill(templateOf('/x/{odd}'), values, encodeURIComponent)).toBe('/x/a%2Fb%20c');
});

it('knows whether all is there', () => {
  expect(isFilledBy(templateOf('{n}-{id}'), values)).toBe(true);
  expect(isFilledBy(templateOf('{n}-{y}'), values)).toBe(false);
});

it('fills JSON, where a value that stands alone keeps its type', () => {
  const body = { id: '{id}', key: 'k-{id}', list: ['{n}', 3, null, true], deep: { n: '{n}' } };
  const filled = { id: 42, key: 'k-42', list: ['sale-7', 3, null, true], deep: { n: 'sale-7' } };
  expect(fillJson(body, values)).toEqual(filled);
});

it.each([
  ['/a/1/b', 'found'],
  ['/a~1b', 'slash'],
  ['/m~0n', 0],
  ['/a', undefined],
  ['/a/9/b', undefined],
  ['/none/at/all', undefined],
  ['/toString', undefined],
])('points at %s', (pointer, value) => {
  expect(pointedAt({ a: [0, { b: 'found' }], 'a/b': 'slash', 'm~n': 0 }, pointer)).toBe(value);
});
