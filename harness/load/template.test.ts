import fc from 'fast-check';
import { expect, it } from 'vitest';
import {
  fill,
  inHeader,
  inPath,
  isFilledBy,
  joined,
  jsonTemplateOf,
  literal,
  type Slots,
  templateOf,
} from './template.ts';

const values = ['sale-7', 42, 'a/b c', undefined, 'line\nend "quoted"'];
const slots: Slots = (name) => {
  if (name === 'run') return 'r 1';
  const slot = ['n', 'id', 'odd', 'later', 'quoted'].indexOf(name);
  return slot < 0 ? undefined : slot;
};
const filled = (text: string): string => fill(templateOf(text, slots), values);

it('fills what has a value and leaves the rest as it is written', () => {
  expect(filled('/orders/{id}/{n}?x={y}&z={}')).toBe('/orders/42/sale-7?x={y}&z={}');
  expect(filled('{later}/{run}')).toBe('{later}/r 1');
  expect(filled('plain')).toBe('plain');
  expect(fill(templateOf('/x/{odd}/{run}', slots, inPath), values)).toBe('/x/a%2Fb%20c/r%201');
  expect(fill(templateOf('v: {quoted}', slots, inHeader), values)).toBe('v: lineend "quoted"');
});

it('knows whether all is there', () => {
  expect(isFilledBy(templateOf('{n}-{id}', slots), values)).toBe(true);
  expect(isFilledBy(templateOf('{n}-{later}', slots), values)).toBe(false);
});

it('fills JSON, where a value that stands alone keeps its type, and whatever it holds it stays JSON', () => {
  const body = {
    id: '{id}',
    key: 'k-{id} "{quoted}"',
    list: ['{n}', 3, null, true],
    deep: { run: '{run}', none: '{y}' },
  };
  expect(JSON.parse(fill(jsonTemplateOf(body, slots), values))).toEqual({
    id: 42,
    key: 'k-42 "line\nend "quoted""',
    list: ['sale-7', 3, null, true],
    deep: { run: 'r 1', none: '{y}' },
  });
  fc.assert(
    fc.property(fc.jsonValue(), (value) => {
      const json = value as Parameters<typeof jsonTemplateOf>[0];
      expect(
        JSON.parse(
          fill(
            jsonTemplateOf(json, () => undefined),
            [],
          ),
        ),
      ).toEqual(JSON.parse(JSON.stringify(json)));
    }),
  );
});

it('joins templates in order', () => {
  const whole = joined([
    literal('GET '),
    templateOf('/{id}/{n}', slots),
    literal(' HTTP/1.1'),
    templateOf('{odd}', slots),
  ]);
  expect(fill(whole, values)).toBe('GET /42/sale-7 HTTP/1.1a/b c');
});
