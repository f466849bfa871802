import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type AnswerWants, HEAD_MAX, ILLEGAL, MORE, ResponseParser } from './response-parser.ts';

const ALL: AnswerWants = { expect: [200], bodyMax: 1e9, otherBodyMax: 1e9, headers: true };

interface Outcome {
  end: number;
  status: number;
  body: string;
  keepAlive: boolean;
  whole: boolean;
  cut: boolean;
  headers: readonly string[];
}

/** Feeds the bytes in pieces cut at `cuts`, each at its own place in a larger buffer, as reads leave them. */
function parse(
  bytes: Buffer,
  options: { cuts?: readonly number[]; toHead?: boolean; wants?: AnswerWants } = {},
): Outcome {
  const parser = new ResponseParser();
  parser.begin(options.toHead ?? false, options.wants ?? ALL);
  const cuts = [...new Set((options.cuts ?? []).map((cut) => cut % (bytes.length + 1)))].sort((a, b) => a - b);
  const room = Buffer.alloc(bytes.length + 7, 0x58);
  let end: number = MORE;
  let from = 0;
  for (const to of [...cuts, bytes.length]) {
    if (end !== MORE) break;
    bytes.copy(room, 7, from, to);
    const got = parser.feed(room, 7, 7 + to - from);
    end = got < 0 ? got : from + got - 7;
    from = to;
  }
  const { status, keepAlive, cut, headers } = parser;
  return { end, status, body: parser.body(), keepAlive, whole: end >= 0 || parser.end(), cut, headers };
}

const text = (...lines: string[]): Buffer => Buffer.from(lines.join('\r\n'), 'latin1');
const answer = (head: string, body = ''): Buffer => text(...head.split('\n'), '', body);

describe('a response', () => {
  const token = fc
    .stringMatching(/^[A-Za-z][A-Za-z0-9-]{0,15}$/)
    .filter((name) => !/^(content-length|transfer-encoding|connection|keep-alive)$/i.test(name));
  const value = fc.stringMatching(/^[!-~]([ -~]{0,30}[!-~])?$/);
  const made = fc
    .record({
      status: fc.integer({ min: 200, max: 599 }).filter((status) => status !== 204 && status !== 304),
      reason: fc.stringMatching(/^[A-Za-z ]{0,20}$/),
      fields: fc.array(fc.tuple(token, value), { maxLength: 8 }),
      body: fc.string({ maxLength: 300 }),
      framing: fc.constantFrom('length', 'chunked', 'close'),
      chunks: fc.array(fc.integer({ min: 1, max: 60 }), { minLength: 1, maxLength: 5 }),
      early: fc.constantFrom('', 'HTTP/1.1 100 Continue\r\n\r\n', 'HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n'),
      trailing: fc.boolean(),
    })
    .map((shape) => ({ ...shape, bytes: serialize(shape) }));

  function serialize(shape: {
    status: number;
    reason: string;
    fields: [string, string][];
    body: string;
    framing: string;
    chunks: number[];
    early: string;
    trailing: boolean;
  }): Buffer {
    const body = Buffer.from(shape.body);
    const fields = [...shape.fields];
    let payload = body;
    if (shape.framing === 'length') fields.push(['Content-Length', String(body.length)]);
    if (shape.framing === 'chunked') {
      fields.push(['Transfer-Encoding', 'chunked']);
      const parts: Buffer[] = [];
      for (let at = 0, index = 0; at < body.length; index++) {
        const size = shape.chunks[index % shape.chunks.length]!;
        const part = body.subarray(at, at + size);
        parts.push(
          Buffer.from(`${part.length.toString(16)}${index % 2 === 0 ? '' : ';ext=1'}\r\n`),
          part,
          Buffer.from('\r\n'),
        );
        at += size;
      }
      parts.push(Buffer.from(`0\r\n${shape.trailing ? 'Digest: x\r\n' : ''}\r\n`));
      payload = Buffer.concat(parts);
    }
    const lines = [`HTTP/1.1 ${shape.status} ${shape.reason}`, ...fields.map(([name, is]) => `${name}: ${is}`)];
    return Buffer.concat([Buffer.from(shape.early), Buffer.from(`${lines.join('\r\n')}\r\n\r\n`, 'latin1'), payload]);
  }

  it('of every framing is read the same wherever its bytes are cut', () => {
    fc.assert(
      fc.property(made, fc.array(fc.nat(2000), { maxLength: 12 }), ({ bytes, status, body, framing, fields }, cuts) => {
        const got = parse(bytes, { cuts });
        expect([got.status, got.body, got.whole]).toEqual([status, body, true]);
        expect(got.end).toBe(framing === 'close' ? MORE : bytes.length);
        expect(got.headers.slice(0, fields.length * 2)).toEqual(
          fields.flatMap(([name, is]) => [name.toLowerCase(), is]),
        );
        expect(parse(bytes, { cuts: Array.from(bytes, (_, index) => index) })).toEqual(got);
      }),
    );
  });

  it('leaves what lies behind it', () => {
    fc.assert(
      fc.property(made, fc.string({ minLength: 1, maxLength: 50 }), ({ bytes, framing }, more) => {
        fc.pre(framing !== 'close');
        expect(parse(Buffer.concat([bytes, Buffer.from(more)])).end).toBe(bytes.length);
      }),
    );
  });

  it('that is anything at all is never read past its end and never makes it fall over', () => {
    const bytes = fc.oneof(
      fc.uint8Array({ maxLength: 400 }),
      fc
        .tuple(made, fc.array(fc.tuple(fc.nat(400), fc.nat(255)), { maxLength: 6 }))
        .map(([{ bytes: good }, changes]) => {
          const changed = Uint8Array.from(good);
          for (const [at, byte] of changes) changed[at % Math.max(1, changed.length)] = byte;
          return changed;
        }),
    );
    fc.assert(
      fc.property(bytes, fc.array(fc.nat(500), { maxLength: 6 }), (any, cuts) => {
        const whole = parse(Buffer.from(any));
        const cut = parse(Buffer.from(any), { cuts });
        expect(whole.end).toBeLessThanOrEqual(any.length);
        // Whether it is a response, and where it ends, does not depend on the cuts.
        expect(cut.end).toBe(whole.end);
        if (whole.end >= 0) expect([cut.status, cut.body]).toEqual([whole.status, whole.body]);
      }),
      { numRuns: 500 },
    );
  });
});

it.each([
  ['204 whatever its head says', 'HTTP/1.1 204 No Content\nContent-Length: 5', false],
  ['304', 'HTTP/1.1 304 Not Modified\nContent-Length: 5', false],
  ['a HEAD', 'HTTP/1.1 200 OK\nContent-Length: 5', true],
  ['a HEAD of something chunked', 'HTTP/1.1 200 OK\nTransfer-Encoding: chunked', true],
  ['an empty one', 'HTTP/1.1 200 OK\nContent-Length: 0', false],
])('has no body for %s', (_name, head, toHead) => {
  const bytes = answer(head);
  expect(parse(bytes, { toHead })).toMatchObject({ end: bytes.length, body: '', keepAlive: true });
});

it.each([
  ['HTTP/1.1 200 OK\nContent-Length: 0', true],
  ['HTTP/1.1 200 OK\nConnection: close\nContent-Length: 0', false],
  ['HTTP/1.1 200 OK\nConnection: x, Close\nContent-Length: 0', false],
  ['HTTP/1.0 200 OK\nContent-Length: 0', false],
  ['HTTP/1.0 200 OK\nConnection: Keep-Alive\nContent-Length: 0', true],
])('knows whether the connection stays: %s', (head, stays) => {
  expect(parse(answer(head)).keepAlive).toBe(stays);
});

it('hears how long an idle connection is kept', () => {
  const parser = new ResponseParser();
  const bytes = answer('HTTP/1.1 200 OK\nKeep-Alive: timeout=5, max=100\nContent-Length: 0');
  parser.begin(false, ALL);
  parser.feed(bytes, 0, bytes.length);
  expect(parser.keepAliveHintS).toBe(5);
});

it.each([
  ['no HTTP', 'SSH-2.0-OpenSSH_9.2'],
  ['another major version', 'HTTP/2.0 200 OK\nContent-Length: 0'],
  ['no status', 'HTTP/1.1 OK'],
  ['a status of four digits', 'HTTP/1.1 2000 OK'],
  ['a switch of protocols that nobody asked for', 'HTTP/1.1 101 Switching Protocols\nUpgrade: h2c'],
  ['a field without colon', 'HTTP/1.1 200 OK\nContent-Length 5'],
  ['a space before the colon', 'HTTP/1.1 200 OK\nContent-Length : 5'],
  ['a folded field', 'HTTP/1.1 200 OK\nX: a\n b\nContent-Length: 0'],
  ['two lengths', 'HTTP/1.1 200 OK\nContent-Length: 5\nContent-Length: 6'],
  ['a negative length', 'HTTP/1.1 200 OK\nContent-Length: -1'],
  ['a length that is no number', 'HTTP/1.1 200 OK\nContent-Length: five'],
  ['a length beyond all numbers', 'HTTP/1.1 200 OK\nContent-Length: 9999999999999999999'],
  ['length and chunks', 'HTTP/1.1 200 OK\nContent-Length: 5\nTransfer-Encoding: chunked'],
  ['chunks not last', 'HTTP/1.1 200 OK\nTransfer-Encoding: chunked, gzip'],
  ['a control character', 'HTTP/1.1 200 OK\nX: a\0b\nContent-Length: 0'],
  ['a bare CR', 'HTTP/1.1 200 OK\rX: a\nContent-Length: 0'],
])('refuses %s', (_name, head) => {
  expect(parse(answer(head)).end).toBe(ILLEGAL);
});

it.each([
  ['a chunk size that is none', 'xyz\r\nabc\r\n0\r\n\r\n'],
  ['an empty chunk size', '\r\nabc\r\n0\r\n\r\n'],
  ['a chunk longer than it says', '3\r\nabcd\r\n0\r\n\r\n'],
  ['a chunk size beyond all numbers', 'ffffffffffffffff\r\n'],
  ['a chunk line without end', `1${';x'.repeat(3000)}`],
])('refuses %s', (_name, body) => {
  expect(parse(answer('HTTP/1.1 200 OK\nTransfer-Encoding: chunked', body)).end).toBe(ILLEGAL);
});

it('refuses a head that does not end, in one piece or dripping in', () => {
  const endless = Buffer.from(`HTTP/1.1 200 OK\r\n${'X: aaaaaaaaaaaaaaaa\r\n'.repeat(HEAD_MAX / 16)}`);
  expect(parse(endless).end).toBe(ILLEGAL);
  expect(parse(endless, { cuts: Array.from({ length: 500 }, (_, index) => index * 150) }).end).toBe(ILLEGAL);
});

it('is not whole before its length has come, whatever the stream does', () => {
  expect(parse(answer('HTTP/1.1 200 OK\nContent-Length: 10', 'abc'))).toMatchObject({ end: MORE, whole: false });
  expect(parse(answer('HTTP/1.1 200 OK\nTransfer-Encoding: chunked', '3\r\nabc\r\n'))).toMatchObject({
    end: MORE,
    whole: false,
  });
  expect(parse(answer('HTTP/1.1 200 OK', 'abc'))).toMatchObject({ end: MORE, whole: true, body: 'abc' });
});

it('keeps of a body what is wanted, more of an unexpected one, and says that it was cut', () => {
  const wants: AnswerWants = { expect: [200], bodyMax: 0, otherBodyMax: 4, headers: false };
  expect(parse(answer('HTTP/1.1 200 OK\nContent-Length: 6', 'abcdef'), { wants })).toMatchObject({
    body: '',
    cut: true,
    headers: [],
  });
  expect(parse(answer('HTTP/1.1 500 No\nContent-Length: 6', 'abcdef'), { wants })).toMatchObject({
    body: 'abcd',
    cut: true,
  });
  expect(parse(answer('HTTP/1.1 500 No\nContent-Length: 3', 'abc'), { wants })).toMatchObject({
    body: 'abc',
    cut: false,
  });
});

it('reads a body of many megabytes in the memory of one read', () => {
  const parser = new ResponseParser();
  parser.begin(false, { ...ALL, bodyMax: 10 });
  const size = 64 * 1024 * 1024;
  const head = answer(`HTTP/1.1 200 OK\nContent-Length: ${size}`);
  expect(parser.feed(head, 0, head.length)).toBe(MORE);
  const block = Buffer.alloc(65_536, 0x61);
  let end: number = MORE;
  for (let sent = 0; sent < size; sent += block.length) end = parser.feed(block, 0, block.length);
  expect(end).toBe(block.length);
  expect(parser.body()).toBe('a'.repeat(10));
});
