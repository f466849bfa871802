import { expect, it } from 'vitest';
import { mask } from './mask.ts';

it.each([
  ['mail a.user+x@example.co.uk please', 'mail ***@*** please'],
  ['card 4111 1111 1111 1111 or 4111111111111111', 'card *** or ***'],
  ['phone 13800138000', 'phone ***'],
  ['identity 11010519491231002X', 'identity ***'],
  ['{"password":"hun\\"ter2","user":7}', '{"password":***,"user":7}'],
  ['{"accessToken":"abc.def"}', '{"accessToken":***}'],
  ['Authorization: Bearer abc.def-ghi', 'Authorization: Bearer ***'],
  ['jwt eyJhbGciOi.eyJzdWIi.SflKxw', 'jwt ***'],
  ['token=s3cr3t&x=1', 'token=***&x=1'],
  ['api_key: zzz', 'api_key: ***'],
])('masks %s', (text, masked) => {
  expect(mask(text)).toBe(masked);
});

it('leaves what tells why something failed', () => {
  const text =
    '{"error":"timeout after 1500 ms","order":"sw1a2b3c4d-sale-417","user":900017,"at":"2026-11-21T14:02:03Z"}';
  expect(mask(text)).toBe(text);
});
