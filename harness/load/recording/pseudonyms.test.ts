import { createHmac } from 'node:crypto';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { BoundedCache } from './bounded-cache.ts';
import { isResidentId, passesLuhn, residentCheck } from './check-digits.ts';
import { KeyedHash } from './keyed-hash.ts';
import { isMaskedNumber, isPseudonym, Pseudonyms } from './pseudonyms.ts';

const digits = (length: number) => fc.stringMatching(new RegExp(`^\\d{${length}}$`));

describe('the keyed hash', () => {
  it('is HMAC-SHA-256, as the library makes it', () => {
    fc.assert(
      fc.property(
        fc.string({ unit: 'binary', minLength: 1, maxLength: 200 }),
        fc.string({ unit: 'grapheme', maxLength: 3000 }),
        (key, text) => {
          expect(new KeyedHash(key).hex(text)).toBe(createHmac('sha256', key).update(text).digest('hex'));
        },
      ),
    );
  });
});

describe('check digits', () => {
  it.each(['4111111111111111', '378282246310005', '30569309025904', '6212345678900000003'])(
    '%s passes Luhn',
    (card) => {
      expect(passesLuhn(card)).toBe(true);
      expect(passesLuhn(card.slice(0, -1) + String((Number(card.at(-1)) + 1) % 10))).toBe(false);
    },
  );

  it.each([
    ['11010519491231002X', true],
    ['11010519491231002x', true],
    ['110105194912310021', false],
    ['11010519491331002X', false],
    ['99010519491231002X', false],
    ['110105491231002', true],
    ['110105491331002', false],
    ['', false],
  ])('%s is a resident’s number: %s', (id, is) => expect(isResidentId(id)).toBe(is));
});

describe('a pseudonym', () => {
  const made = new Pseudonyms('k');

  it('of a mobile number is one of eleven digits that nobody has', () => {
    fc.assert(
      fc.property(digits(9), (rest) => {
        const masked = made.mobile(`13${rest}`);
        expect(masked).toMatch(/^10\d{9}$/);
        expect(isMaskedNumber(masked) && isMaskedNumber(`86${masked}`)).toBe(true);
        expect(passesLuhn(`86${masked}`)).toBe(false);
      }),
    );
  });

  it('of a card has as many digits and fails Luhn; of an identity it fails the check', () => {
    fc.assert(
      fc.property(fc.integer({ min: 13, max: 19 }).chain(digits), digits(18), (card, id) => {
        expect(made.card(card)).toHaveLength(card.length);
        expect(passesLuhn(made.card(card))).toBe(false);
        const masked = made.residentId(id);
        expect(masked).toMatch(/^10\d{16}$/);
        expect(isResidentId(masked) || residentCheck(masked) === masked[17] || passesLuhn(masked)).toBe(false);
      }),
    );
  });

  it('of text is recognised as one, keeps the length of a token up to a step, and the script of a name', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary', minLength: 1, maxLength: 1500 }), (value) => {
        for (const text of [made.token(value), made.mail(value), made.session(value), made.words('name', value)])
          expect(isPseudonym(text)).toBe(true);
        const { length } = made.token(value);
        expect(length).toBe(Math.min(1024, Math.max(16, Math.ceil(value.length / 8) * 8)));
      }),
    );
    expect(made.words('name', '张三')).toMatch(/^某\p{Script=Han}{5}$/u);
  });

  it('differs from value to value, class to class and key to key, and is the same again', () => {
    const values = Array.from({ length: 2000 }, (_, at) => `value ${at}`);
    expect(new Set(values.map((value) => made.token(value))).size).toBe(2000);
    expect(made.token('a')).toBe(new Pseudonyms('k').token('a'));
    expect(made.token('a')).not.toBe(new Pseudonyms('l').token('a'));
    expect(new Pseudonyms(undefined).token('a')).not.toBe(new Pseudonyms(undefined).token('a'));
    expect(made.words('name', 'a')).not.toBe(made.words('address', 'a'));
  });
});

describe('the cache', () => {
  it('forgets what was not asked for and never grows beyond twice its size', () => {
    const cache = new BoundedCache<number>(10);
    for (let at = 0; at < 1000; at++) {
      cache.set(`k${at}`, at);
      expect(cache.get('k0')).toBe(0);
    }
    const kept = Array.from({ length: 1000 }, (_, at) => cache.get(`k${at}`)).filter((value) => value !== undefined);
    expect(kept.length).toBeLessThanOrEqual(20);
  });
});
