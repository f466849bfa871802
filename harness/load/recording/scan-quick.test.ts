import fc from 'fast-check';
import { expect, it } from 'vitest';
import { BY_FORM, BY_KEY } from '../../../tests/support/planted-secrets.ts';
import { Scanner } from './scanner.ts';

const values = Object.values(BY_FORM).flat();
const keys = Object.values(BY_KEY).flatMap((pairs) => pairs.map(([key]) => key));
const piece = fc.oneof(
  fc.constantFrom(...values, ...keys, ...keys.map((key) => `${key}=abc1`)),
  fc.constantFrom('/', '/', '?', '&', '=', '=', '.', '-', '_', '~', ',', '!', '%40', '+', ':', 'http://', 'https://'),
  fc.constantFrom('86', '0086', 'eyJ', 'xox', 'sk_live_', 'page=2', 'AKIA', 'token', 'masked-abcdefghi'),
  fc.stringMatching(/^[0-9]{1,20}$/),
  fc.stringMatching(/^[A-Za-z0-9_/-]{1,30}$/),
  fc.string({ maxLength: 40 }).map((text) => Buffer.from(text).toString('base64url')),
  fc.constantFrom(...values).map((text) => Buffer.from(text).toString('base64')),
);

it('a quick look calls nothing clean in which a thorough one finds something', () => {
  const scanner = new Scanner();
  let clean = 0;
  fc.assert(
    fc.property(fc.array(piece, { maxLength: 7 }), fc.constantFrom('', '/', 'https://h.example/'), (pieces, start) => {
      const text = start + pieces.join('');
      const thorough = scanner.thorough(text, 'path');
      expect(scanner.text(text, 'path')).toEqual(thorough);
      if (thorough.length === 0) clean++;
    }),
    { numRuns: 4000 },
  );
  expect(clean).toBeGreaterThan(100);
});

it.each(values)('%s is found in any place of a path', (value) => {
  const scanner = new Scanner();
  for (const text of [value, `/a/${value}`, `/a?b=${value}`, `/a/${Buffer.from(value).toString('base64url')}/b`])
    expect(scanner.text(text)).toEqual(scanner.thorough(text));
});
