import { expect, it } from 'vitest';
import { classOf } from './failure-class.ts';

const error = (code: string, name = 'Error'): Error => Object.assign(new Error(code), { code, name });

it.each([
  [error('ECONNREFUSED'), 'refused'],
  [error('ECONNRESET'), 'reset'],
  [error('UND_ERR_SOCKET', 'SocketError'), 'reset'],
  [error('ENOTFOUND'), 'dns'],
  [error('EAI_AGAIN'), 'dns'],
  [error('UND_ERR_CONNECT_TIMEOUT'), 'timeout'],
  [error('HPE_INVALID_CONSTANT', 'HTTPParserError'), 'body'],
  [new AggregateError([error('ECONNREFUSED'), error('ECONNREFUSED')]), 'refused'],
  [new Error('outer', { cause: error('ENOTFOUND') }), 'dns'],
  [new Error('whatever'), 'reset'],
])('%s is %s', (thrown, bad) => {
  expect(classOf(thrown)).toBe(bad);
});
