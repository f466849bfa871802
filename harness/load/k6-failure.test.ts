import { expect, it } from 'vitest';
import { classOfK6Error } from './k6-failure.ts';

it.each([
  [1050, 'request timeout', 'timeout'],
  [1211, 'dial: i/o timeout', 'timeout'],
  [1212, 'dial: connection refused', 'refused'],
  [1110, 'IP (192.0.2.1) is in a blacklisted range', 'refused'],
  [1101, 'lookup: no such host', 'dns'],
  [1310, 'x509: unknown authority', 'tls'],
  [1220, 'connection reset by peer', 'reset'],
  [1000, 'Get "http://127.0.0.1:1/": EOF', 'reset'],
  [1000, 'Get "http://127.0.0.1:1/": unexpected EOF', 'reset'],
  [1000, 'net/http: HTTP/1.x transport connection broken: malformed HTTP response "x"', 'body'],
  [1000, 'Get "http://127.0.0.1:1/": context canceled', 'unfinished'],
])('tells %i, %s, as %s', (code, text, why) => {
  expect(classOfK6Error(code, text)).toBe(why);
});
