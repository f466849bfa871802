import fc from 'fast-check';
import { expect, it } from 'vitest';
import { type AnswerSeen, LearnedValues } from './learned-values.ts';

const json = (value: unknown): AnswerSeen => ({ body: JSON.stringify(value), headers: [] });

function learned(before: AnswerSeen, now: AnswerSeen): LearnedValues {
  const values = new LearnedValues();
  values.learn(before, now);
  return values;
}

it('says the new value where the old one stands as a word of its own, and nowhere else', () => {
  const values = learned(json({ order: { id: 10_017 } }), json({ order: { id: 555 } }));
  expect(values.apply('/orders/10017/pay?id=10017')).toBe('/orders/555/pay?id=555');
  expect(values.apply('{"id":10017,"sum":210017}')).toBe('{"id":555,"sum":210017}');
  expect(values.apply('/orders/110017')).toBe('/orders/110017');
});

it('finds values that are percent-encoded, and encodes what it says instead', () => {
  const values = learned(json({ token: 'a+b/c==x' }), json({ token: 'd e/f' }));
  expect(values.apply('/x?t=a%2Bb%2Fc%3D%3Dx')).toBe('/x?t=d%20e%2Ff');
  expect(values.apply('/x?t=%zz%2B')).toBe('/x?t=%zz%2B');
});

it('learns cookies by name and places by word', () => {
  const before = {
    body: undefined,
    headers: ['set-cookie', 'sid=old-session; Path=/', 'location', '/orders/A-100/status'],
  };
  const now = {
    body: undefined,
    headers: ['set-cookie', 'theme=dark', 'set-cookie', 'sid=new-session; HttpOnly', 'location', '/orders/B-7/status'],
  };
  const values = learned(before, now);
  expect(values.apply('sid=old-session; theme=x')).toBe('sid=new-session; theme=x');
  expect(values.apply('/orders/A-100')).toBe('/orders/B-7');
});

it('leaves alone what is short, what is equal and what stands elsewhere', () => {
  const values = learned(
    json({ n: 7, ok: 'yes', same: 'value', moved: 'abcdef' }),
    json({ n: 8, ok: 'no', same: 'value', other: 'ghijkl' }),
  );
  expect(values.size).toBe(0);
  expect(learned({ body: 'no json abcdef', headers: [] }, json({ a: 'xxxxx' })).size).toBe(0);
  expect(learned({ body: '{"cut":"of', headers: [] }, json({ cut: 'xxxxx' })).size).toBe(0);
});

it('takes the latest, keeps a bounded number, and never falls over what answers say', () => {
  const values = learned(json({ id: 'first-one' }), json({ id: 'second' }));
  values.learn(json({ id: 'first-one' }), json({ id: 'third' }));
  expect(values.apply('first-one')).toBe('third');
  const many = Object.fromEntries(Array.from({ length: 3000 }, (_, index) => [`k${index}`, `old-${index}`]));
  values.learn(json(many), json(Object.fromEntries(Object.keys(many).map((key) => [key, `new-${key}`]))));
  expect(values.size).toBeLessThanOrEqual(1000);
  fc.assert(
    fc.property(fc.jsonValue(), fc.jsonValue(), fc.string(), (before, now, text) => {
      expect(typeof learned(json(before), json(now)).apply(text)).toBe('string');
    }),
  );
});
