import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { GorReader } from './gor-reader.ts';
import { HarReader } from './har-reader.ts';
import { LogReader } from './log-reader.ts';
import type { Recorded } from './recorded.ts';
import { parseSessionRule } from './session-rule.ts';
import { sourceOf } from './source-bytes.ts';
import { detectFormat, givenFormat, type SourceFormat, type SourceName } from './source-format.ts';
import type { SourceReader, SourceSink } from './source-reader.ts';

const SAMPLES = join(import.meta.dirname, '../../../fixtures/recordings');
const TIMED = '$msec $remote_addr $host "$request" $status $request_time "$http_cookie" "$http_x_forwarded_for"';
const JSON_LOG = `log_format j escape=json '{"at":"$time_iso8601","request":"$request","status":$status,'
  '"agent":"$http_user_agent","took":$request_time}';`;
const APACHE_TIMED =
  'LogFormat "[%{%Y-%m-%d %H:%M:%S}t.%{msec_frac}t %{%z}t] %h %m %U %q %>s %D \\"%{sid}C\\" %{Content-Type}o" own';

interface Read {
  format: string;
  requests: (Partial<Recorded> & { wholeSecond?: true; endStamped?: true })[];
  malformed: [number, string][];
  bodiesLeftOut: number;
}

interface Given {
  from?: SourceName;
  format?: string;
  session?: string;
}

function readerOf(format: SourceFormat, sink: SourceSink, session: string): SourceReader {
  const rule = parseSessionRule(session);
  if (format.is === 'log') return new LogReader(sink, format.format, rule);
  return format.is === 'har' ? new HarReader(sink, rule, 'a HAR', 1) : new GorReader(sink, rule);
}

/** Reads a sample in pieces; what is undefined or empty is left out of the requests. */
function readBytes(bytes: Buffer, given: Given, pieces: readonly Buffer[] = [bytes]): Read {
  const format = givenFormat(given.from, given.format) ?? detectFormat('sample', bytes, given.from);
  const read: Read = {
    format: format.is === 'log' ? format.format.title : format.is,
    requests: [],
    malformed: [],
    bodiesLeftOut: 0,
  };
  const sink: SourceSink = {
    request: (request, wholeSecond, endStamped) => {
      const told = Object.entries(request).filter(([, value]) => value !== undefined && value.length !== 0);
      const marks = { ...(wholeSecond ? { wholeSecond } : {}), ...(endStamped ? { endStamped } : {}) };
      read.requests.push({ ...Object.fromEntries(told), ...marks });
    },
    malformed: (number, reason) => read.malformed.push([number, reason]),
    bodyLeftOut: () => {
      read.bodiesLeftOut++;
    },
  };
  const reader = readerOf(format, sink, given.session ?? 'ip+ua');
  for (const piece of pieces) reader.push(piece);
  reader.end();
  return read;
}

const sample = (name: string): Buffer => readFileSync(join(SAMPLES, name));
const read = (name: string, given: Given = {}): Read => readBytes(sample(name), given);
const at = (time: string): number => Date.parse(`2026-11-11T${time}`);

describe('the samples', () => {
  it('nginx, the default format', () => {
    const { format, requests, malformed } = read('nginx-combined.log');
    const told = { wholeSecond: true, endStamped: true };
    const agent = ['user-agent', 'Mozilla/5.0 (X11; Linux x86_64) Gecko/20100101 Firefox/140.0'];
    expect(format).toBe('nginx combined');
    expect(requests.map(({ session, ...rest }) => rest)).toEqual([
      {
        atMs: at('00:00:00+08:00'),
        method: 'GET',
        path: '/items?page=2',
        headers: ['referer', 'https://shop.example/', ...agent],
        status: 200,
        ...told,
      },
      {
        atMs: at('00:00:00+08:00'),
        method: 'GET',
        path: '/search?q=caf%C3%A9%22s',
        headers: agent,
        status: 200,
        ...told,
      },
      {
        atMs: at('00:00:01+08:00'),
        method: 'POST',
        path: '/orders',
        headers: ['user-agent', 'curl/8.9 "quoted" \\path'],
        status: 201,
        ...told,
      },
      {
        atMs: at('00:00:02+08:00'),
        method: 'GET',
        path: '/cart',
        headers: ['host', 'shop.example'],
        status: 499,
        ...told,
      },
      { atMs: at('00:00:02+08:00'), method: 'GET', path: '/two%20words', status: 404, ...told },
    ]);
    expect(requests[0]!.session).toBe(requests[1]!.session);
    expect(new Set(requests.map(({ session }) => session)).size).toBe(3);
    expect(requests[2]!.session).toMatch(/^2001:db8::1f /);
    expect(malformed).toEqual([
      [4, 'no request line: a connection without a request'],
      [5, 'the request line is not HTTP'],
      [8, 'not nginx combined: it parts from the format at $remote_addr'],
      [9, 'CONNECT opens a tunnel and cannot be replayed'],
    ]);
  });

  it('nginx, a format of its own', () => {
    const { requests, malformed } = read('nginx-timed.log', { format: TIMED, session: 'cookie:sid' });
    expect(malformed).toEqual([]);
    expect(requests).toEqual([
      {
        atMs: 1794326400250,
        session: 'abc',
        method: 'GET',
        path: '/items/4711',
        headers: ['host', 'shop.example', 'cookie', 'sid=abc; theme=dark', 'x-forwarded-for', '10.1.1.1, 10.2.2.2'],
        status: 200,
        tookMs: 125,
        endStamped: true,
      },
      {
        atMs: 1794326400100,
        method: 'PUT',
        path: '/cart',
        headers: ['host', 'shop.example', 'cookie', 'theme=light'],
        status: 204,
        tookMs: 50,
        endStamped: true,
      },
      {
        atMs: 1794326401000,
        session: 'abc',
        method: 'GET',
        path: '/slow',
        headers: ['host', 'shop.example', 'cookie', 'sid=abc', 'x-forwarded-for', '10.1.1.1'],
        status: 200,
        tookMs: 999,
        endStamped: true,
      },
    ]);
    const byAddress = read('nginx-timed.log', { format: TIMED }).requests.map(({ session }) => session?.split(' ')[0]);
    expect(byAddress).toEqual(['10.1.1.1', '203.0.113.8', '10.1.1.1']);
  });

  it('nginx, JSON', () => {
    const { requests } = read('nginx-json.log', { format: JSON_LOG, session: 'field:http_user_agent' });
    const told = { atMs: at('00:00:00Z'), method: 'GET', wholeSecond: true, endStamped: true };
    expect(requests).toEqual([
      {
        ...told,
        session: 'tab\tand \\ and ü',
        path: '/a%22b?x=1',
        headers: ['user-agent', 'tab\tand \\ and ü'],
        status: 200,
        tookMs: 10,
      },
      { ...told, path: '/plain', status: 304, tookMs: 1 },
    ]);
  });

  it('Apache with virtual hosts', () => {
    const { format, requests, malformed } = read('apache-vhost.log');
    expect(format).toBe('apache vhost_combined');
    expect(requests.map(({ session, ...rest }) => rest)).toEqual([
      {
        atMs: at('00:00:00Z'),
        method: 'GET',
        path: '/items',
        headers: ['host', 'shop.example', 'referer', 'https://shop.example/', 'user-agent', 'A "quoted" agent'],
        status: 200,
        wholeSecond: true,
      },
      {
        atMs: at('00:00:01Z'),
        method: 'HEAD',
        path: '/',
        headers: ['host', 'shop.example'],
        status: 302,
        wholeSecond: true,
      },
    ]);
    expect(malformed).toEqual([[3, 'no request line: a connection without a request']]);
  });

  it('Apache, a format of its own', () => {
    const { requests, malformed } = read('apache-timed.log', { format: APACHE_TIMED, session: 'cookie:sid' });
    expect(malformed).toEqual([]);
    expect(requests).toEqual([
      {
        atMs: at('00:00:00.123Z'),
        session: 'sid-1',
        method: 'POST',
        path: '/pay?step=2',
        headers: ['cookie', 'sid=sid-1'],
        status: 200,
        tookMs: 250,
        answerHeaders: ['content-type', 'text/html'],
      },
      { atMs: at('00:00:00.456Z'), method: 'GET', path: '/caf%C3%A9', status: 404, tookMs: 1.5 },
    ]);
  });

  it('HAProxy', () => {
    const { format, requests, malformed } = read('haproxy.log');
    expect(format).toBe('haproxy httplog');
    expect(requests.map(({ session, ...rest }) => [session!.split(' ')[0], rest])).toEqual([
      ['203.0.113.7', { atMs: at('00:00:00.655Z'), method: 'GET', path: '/index.html', status: 200, tookMs: 109 }],
      ['203.0.113.7', { atMs: at('00:00:00.700Z'), method: 'GET', path: '/say?w=%22hi%22', status: 503, tookMs: 3 }],
      ['2001:db8::1', { atMs: at('00:00:01.500Z'), method: 'POST', path: '/orders', status: 201, tookMs: 9 }],
    ]);
    expect(malformed).toEqual([[3, 'the request line is not HTTP']]);
  });

  it('Envoy', () => {
    const { format, requests, malformed } = read('envoy.log', { session: 'header:x-request-id' });
    expect(format).toBe('envoy default');
    const id = 'cc21d9b0-cf5c-432b-8c7e-98aeb7988cd2';
    expect(requests).toEqual([
      {
        atMs: at('00:00:00.310Z'),
        session: id,
        method: 'POST',
        path: '/api/v1/orders',
        headers: ['host', 'orders', 'x-forwarded-for', '10.0.35.28', 'user-agent', 'nsq2http', 'x-request-id', id],
        status: 201,
        tookMs: 226,
        answerHeaders: ['x-envoy-upstream-service-time', '224'],
      },
      {
        atMs: at('00:00:00.905Z'),
        method: 'GET',
        path: '/items?page=1',
        headers: [
          'host',
          'shop.example',
          'x-forwarded-for',
          '203.0.113.7, 10.0.0.1',
          'user-agent',
          'an "unescaped" agent',
        ],
        tookMs: 31,
      },
    ]);
    expect(malformed).toEqual([[3, 'no method: a connection without a request']]);
  });

  it('GoReplay', () => {
    const { format, requests, malformed } = read('requests.gor', { session: 'cookie:sid' });
    expect(format).toBe('gor');
    expect(requests).toEqual([
      {
        atMs: 1794355200000,
        session: 's-1',
        method: 'GET',
        path: '/items?page=1',
        headers: ['host', 'shop.example', 'cookie', 'sid=s-1; theme=dark'],
        status: 200,
        tookMs: 25,
        answerHeaders: ['content-type', 'text/plain', 'set-cookie', 'csrf=t-1', 'transfer-encoding', 'chunked'],
        answerBody: 'hello world',
      },
      {
        atMs: 1794355200010,
        method: 'POST',
        path: '/orders',
        headers: ['host', 'shop.example', 'content-type', 'application/json', 'content-length', '9'],
        body: '{"a":"é"}',
      },
      { atMs: 1794355200030, method: 'DELETE', path: '/orders/7', headers: ['host', 'shop.example'] },
    ]);
    expect(malformed).toEqual([[6, 'the request line is not HTTP']]);
  });

  it('HAR', () => {
    const { format, requests, malformed, bodiesLeftOut } = read('visit.har', { session: 'cookie:sid' });
    expect(format).toBe('har');
    expect(requests).toEqual([
      {
        atMs: at('00:00:00Z'),
        session: 's-1',
        method: 'GET',
        path: '/items?q=a%20b',
        headers: ['host', 'shop.example', 'user-agent', 'Mozilla/5.0', 'cookie', 'sid=s-1'],
        status: 200,
        tookMs: 12.5,
        answerHeaders: ['content-type', 'application/json', 'set-cookie', 'csrf=t-1'],
        answerBody: '{"next":"[{\\"]}"}',
      },
      {
        atMs: at('00:00:00.250Z'),
        session: 'har 1',
        method: 'POST',
        path: '/login',
        headers: ['host', 'shop.example'],
        body: 'user=jane+d&next=%2Fcart',
        status: 302,
        tookMs: 12.5,
        answerBody: 'ok',
      },
      {
        atMs: at('00:00:00.500Z'),
        session: 'har 1',
        method: 'POST',
        path: '/orders',
        headers: ['host', 'shop.example'],
        body: '{"item":"café"}',
        tookMs: 12.5,
      },
      {
        atMs: at('00:00:00.700Z'),
        session: 'har 1',
        method: 'GET',
        path: '/logo.png',
        headers: ['host', 'shop.example'],
        status: 200,
        tookMs: 12.5,
      },
    ]);
    expect(malformed).toEqual([[4, 'the address is not http or https']]);
    expect(bodiesLeftOut).toBe(1);
  });
});

const ALL: [string, Given][] = [
  ['nginx-combined.log', {}],
  ['nginx-timed.log', { format: TIMED }],
  ['nginx-json.log', { format: JSON_LOG }],
  ['apache-vhost.log', {}],
  ['apache-timed.log', { format: APACHE_TIMED }],
  ['haproxy.log', {}],
  ['envoy.log', {}],
  ['requests.gor', {}],
  ['visit.har', {}],
];

const fromOf = (name: string): SourceName => name.split(/[-.]/)[0] as SourceName;

describe('however the bytes are split', () => {
  it.each(ALL)('%s is read the same', (name, given) => {
    const bytes = sample(name);
    const whole = readBytes(bytes, given);
    const every = (length: number): Buffer[] =>
      Array.from({ length: Math.ceil(bytes.length / length) }, (_, index) =>
        bytes.subarray(index * length, (index + 1) * length),
      );
    expect(readBytes(bytes, given, every(1))).toEqual(whole);
    fc.assert(
      fc.property(fc.array(fc.nat(bytes.length), { maxLength: 8 }), (cuts) => {
        const borders = [0, ...cuts.toSorted((a, b) => a - b), bytes.length];
        // The pieces share one buffer, which is overwritten as a reader of files does.
        const pieces = borders.slice(1).map((end, index) => Buffer.from(bytes.subarray(borders[index], end)));
        expect(readBytes(bytes, given, pieces)).toEqual(whole);
      }),
      { numRuns: 40 },
    );
  });

  it.each(ALL.filter(([name]) => name.endsWith('.log')))(
    '%s: each line counts, whatever is done to it',
    (name, given) => {
      const bytes = sample(name);
      fc.assert(
        fc.property(fc.array(fc.tuple(fc.nat(bytes.length - 1), fc.nat(255)), { maxLength: 12 }), (changes) => {
          const changed = Buffer.from(bytes);
          for (const [index, byte] of changes) changed[index] = byte;
          const lines = changed.toString('latin1').split('\n');
          const all = lines.filter((text) => text !== '' && text !== '\r' && !text.startsWith('#')).length;
          const { requests, malformed } = readBytes(changed, { from: fromOf(name), ...given });
          expect(requests.length + malformed.length).toBe(all);
          for (const { path, method, atMs } of requests) {
            expect(path).toMatch(/^(?:\/[\x21\x24-\x7e]*|\*)$/);
            expect(method).toMatch(/^[A-Z]/);
            expect(atMs).toBeGreaterThanOrEqual(0);
          }
        }),
        { numRuns: 60 },
      );
    },
  );

  it('a compressed input is unpacked', async () => {
    const plain = sample('nginx-combined.log');
    const packed = gzipSync(plain);
    async function* bytewise(): AsyncGenerator<Buffer> {
      for (const byte of packed) yield Buffer.from([byte]);
    }
    const source = await sourceOf('a', bytewise());
    expect(source.start.equals(plain)).toBe(true);
    const pieces: Buffer[] = [];
    for await (const piece of source.pieces) pieces.push(Buffer.from(piece));
    expect(Buffer.concat(pieces).equals(plain)).toBe(true);
  });
});

describe('formats', () => {
  const line = (text: string): Buffer => Buffer.from(text);

  it('that nobody knows are refused with the first line, masked', () => {
    const bytes = line('user jane@shop.example did things\n');
    expect(() => detectFormat('x.log', bytes, undefined)).toThrow(/first lines of x\.log .*"user \*\*\*@\*\*\*/);
    expect(() => detectFormat('x.log', Buffer.alloc(0), undefined)).toThrow('x.log has no bytes');
    expect(() => detectFormat('x.swr', line('SEAWALLR'), undefined)).toThrow('is a recording already');
  });

  it('with more than a known one has are refused, not read by half', () => {
    const more = line('1.2.3.4 - - [11/Nov/2026:00:00:00 +0000] "GET / HTTP/1.1" 200 1 "-" "agent" 0.5 more\n');
    expect(() => detectFormat('x.log', more, undefined)).toThrow('not of any known format');
  });

  it('without what a request needs are refused', () => {
    expect(() => givenFormat('nginx', '$remote_addr $status')).toThrow('no field for a time and a path');
    expect(() => givenFormat(undefined, '$msec$request')).not.toThrow();
    expect(() => readBytes(line('x\n'), { format: '$msec$request' })).toThrow(
      'nothing stands between $msec and $request',
    );
    expect(() => givenFormat('haproxy', '%ci')).toThrow('--format cannot be given for haproxy');
    expect(() => givenFormat('har', '$request')).toThrow('--format says nothing about har');
    expect(() => givenFormat('apache', '%{%x}t %r')).toThrow('cannot be read');
  });

  it('without what the session rule needs are refused, naming what there is', () => {
    expect(() => read('nginx-combined.log', { session: 'cookie:sid' })).toThrow(
      'needs a field that the log does not have; it has $remote_addr, $remote_user',
    );
  });

  it('with the path in several variables are joined', () => {
    const parts = { format: '$msec $request_method https://$host$request_uri $status' };
    expect(readBytes(line('1794326400.5 GET https://shop.example/a?b=1 200\n'), parts).requests).toMatchObject([
      { headers: ['host', 'shop.example'], path: '/a?b=1', atMs: 1794326400500 },
    ]);
    const apart = { format: '$msec "$request_method" "$uri" "$args" $status' };
    expect(readBytes(line('1794326400.5 "GET" "/50% of?it" "b=1" 200\n'), apart).requests).toMatchObject([
      { path: '/50%25%20of%3Fit?b=1' },
    ]);
  });

  it('say where a line parts from them', () => {
    const bytes = line(
      '1.2.3.4 - - [11/Nov/2026:00:00:00 +0000] "GET / HTTP/1.1" 200 1 "-" "a"\n1.2.3.4 - - [11/Nov/2026:00:00:00 +0000] "GET / HTTP/1.1" abc 1 "-" "a"\n1.2.3.4 - - [31/Foo/2026:00:00:00 +0000] "GET / HTTP/1.1" 200 1 "-" "a"\n1.2.3.4 - - [11/Nov/2026:00:00:00 +0000] "GET / HT\n',
    );
    expect(readBytes(bytes, {}).malformed).toEqual([
      [2, 'the status is not a number from 100 to 999'],
      [3, '$time_local is not a time'],
      [4, 'not nginx combined: it parts from the format at $request'],
    ]);
  });

  it('a line without end or beyond measure is one malformed line', () => {
    const good = '1.2.3.4 - - [11/Nov/2026:00:00:00 +0000] "GET / HTTP/1.1" 200 1 "-" "a"\n';
    const bytes = line(`${good}${'x'.repeat(2_500_000)}\n${good}`);
    const pieces = [bytes.subarray(0, 900_000), bytes.subarray(900_000, 2_000_000), bytes.subarray(2_000_000)];
    const { requests, malformed } = readBytes(bytes, { from: 'nginx' }, pieces);
    expect(requests).toHaveLength(2);
    expect(malformed).toEqual([[2, 'a line of more than 1024 KB']]);
  });

  it('a HAR that ends too early keeps what it has', () => {
    const bytes = sample('visit.har');
    const { requests, malformed } = readBytes(bytes.subarray(0, bytes.indexOf('"data:')), {});
    expect(requests).toHaveLength(3);
    expect(malformed).toEqual([[4, 'the file ends within an entry']]);
    expect(() => readBytes(line('{"log":{"pages":[]}}'), {})).toThrow('has no log.entries');
  });
});

describe('a GoReplay file', () => {
  const payload = (type: number, id: string, ms: number, http: string): string =>
    `${type} ${id} ${1_794_355_200_000 + ms}000000 0\n${http.replaceAll('\n', '\r\n')}\n🐵🙈🙉\n`;
  const get = (id: string, ms: number): string => payload(1, id, ms, `GET /${id} HTTP/1.1\n\n`);
  const ok = (id: string, ms: number): string => payload(2, id, ms, 'HTTP/1.1 200 OK\n\n');

  it('joins answers that come within half a minute, and gives requests without one on', () => {
    const text = get('a', 0) + get('b', 10) + get('c', 20_000) + ok('c', 20_500) + get('d', 31_000) + ok('a', 31_500);
    const told = readBytes(Buffer.from(text), {}).requests.map(({ path, status, tookMs }) => [path, status, tookMs]);
    expect(told).toEqual([
      ['/c', 200, 500],
      ['/a', undefined, undefined],
      ['/b', undefined, undefined],
      ['/d', undefined, undefined],
    ]);
  });

  it('an id that is used again is another request', () => {
    const told = readBytes(Buffer.from(get('a', 0) + ok('a', 5) + get('a', 10) + get('a', 20) + ok('a', 25)), {});
    expect(told.requests.map(({ tookMs }) => tookMs)).toEqual([5, undefined, 5]);
  });
});

describe('what is too large to be held', () => {
  const megabyte = Buffer.alloc(1024 * 1024, 'x');
  const huge = Array.from({ length: 66 }, () => megabyte);

  it('is one malformed payload of a GoReplay file', () => {
    const [first, second] = sample('requests.gor').toString().split('3 a1');
    const pieces = [first!, '1 huge 1794355200000000000 0\n', ...huge, `\n🐵🙈🙉\n3 a1${second!}`];
    const { requests, malformed } = readBytes(
      sample('requests.gor'),
      { from: 'gor' },
      pieces.map((one) => Buffer.from(one)),
    );
    expect(requests).toHaveLength(3);
    expect(malformed).toEqual([
      [4, 'a payload of more than 64 MB'],
      [7, 'the request line is not HTTP'],
    ]);
  });

  it('is one malformed entry of a HAR', () => {
    const [first, second] = sample('visit.har').toString().split('data:image');
    const { requests, malformed } = readBytes(
      sample('visit.har'),
      {},
      [first!, ...huge, second!].map((one) => Buffer.from(one)),
    );
    expect(requests).toHaveLength(4);
    expect(malformed).toEqual([[4, 'an entry of more than 64 MB']]);
  });
});
