import { runInNewContext } from 'node:vm';
import fc from 'fast-check';
import { expect, it } from 'vitest';
import type { Json } from '../spi/json.ts';
import { jsonExpression, type Naming, textExpression } from './k6-template.ts';
import { plainRequest } from './plain-request.ts';

const VALUES = new Map<string, string | number | boolean>([
  ['id', 'o/1"'],
  ['n', 7],
  ['ok', true],
  ['run', 'r-1'],
]);
const naming: Naming = (name) => {
  if (name === 'run') return { text: 'r-1' };
  return VALUES.has(name) ? { expression: `v.${name}` } : undefined;
};
const evaluate = (expression: string): unknown =>
  runInNewContext(`JSON.stringify(${expression})`, { v: Object.fromEntries(VALUES) });

const text = fc
  .array(
    fc.oneof(fc.string(), fc.constantFrom('{id}', '{n}', '{run}', '{nobody}', '{', '}', '\u2028', '`$' + '{x}', '\\')),
    {
      maxLength: 6,
    },
  )
  .map((parts) => parts.join(''));

it('writes expressions that fill a body in as the other engines do', () => {
  const { value } = fc.letrec<{ value: Json }>((tie) => ({
    value: fc.oneof(
      { maxDepth: 3 },
      text,
      fc.integer(),
      fc.boolean(),
      fc.constant(null),
      fc.array(tie('value'), { maxLength: 3 }),
      fc.dictionary(fc.oneof(fc.string(), fc.constant('__proto__')), tie('value'), {
        maxKeys: 3,
        noNullPrototype: true,
      }),
    ),
  }));
  fc.assert(
    fc.property(value, (body) => {
      const step = { path: '/', headers: {}, method: 'POST', body: { body } } as never;
      const expected = JSON.parse(plainRequest(step, VALUES, {}, new Map()).body!) as { body: Json };
      expect(JSON.parse(evaluate(jsonExpression(body, naming)) as string)).toEqual(expected.body);
    }),
  );
});

it('writes expressions for texts, each filled value encoded', () => {
  fc.assert(
    fc.property(text, (written) => {
      const step = { path: '/', headers: { 'x-a': written }, method: 'GET', body: written } as never;
      const { headers, body } = plainRequest(step, VALUES, {}, new Map());
      expect(JSON.parse(evaluate(textExpression(written, naming)) as string)).toBe(body);
      const encoded = textExpression(written, naming, "((value) => String(value).replace(/[^\\x20-\\x7e]/g, ''))");
      expect(JSON.parse(evaluate(encoded) as string)).toBe(headers['x-a']);
    }),
  );
});
