import { expect, it } from 'vitest';
import { endToEnd, upstreamHeaders } from './proxy-headers.ts';

it('keeps what belongs to the message and nothing that belongs to the connection, named ones too', () => {
  const raw = [
    'Host',
    'a',
    'Connection',
    'close, X-Hop',
    'X-Hop',
    '1',
    'Transfer-Encoding',
    'chunked',
    'X-Two',
    '1',
    'x-two',
    '2',
  ];
  expect(endToEnd(raw)).toEqual(['host', 'a', 'x-two', '1', 'x-two', '2']);
});

it('tells the upstream who asked, behind those whom the client named', () => {
  expect(upstreamHeaders(['host', 'shop', 'expect', '100-continue', 'a', '1'], '10.0.0.7', 'up:80')).toEqual([
    ...['a', '1', 'host', 'up:80', 'x-forwarded-for', '10.0.0.7', 'x-forwarded-host', 'shop'],
  ]);
  const named = ['x-forwarded-for', '203.0.113.9', 'x-forwarded-for', '198.51.100.2'];
  expect(upstreamHeaders(named, '10.0.0.7', 'up:80')).toEqual([
    ...['host', 'up:80', 'x-forwarded-for', '203.0.113.9, 198.51.100.2, 10.0.0.7'],
  ]);
});
