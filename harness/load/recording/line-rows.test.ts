import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { BY_FORM, BY_KEY } from '../../../tests/support/planted-secrets.ts';
import { pieceOf } from './byte-cache.ts';
import { textOfBase64 } from './find-encoded.ts';
import { harmlessPathEnd, isHarmless } from './harmless-bytes.ts';
import { importRecording } from './import-recording.ts';
import { createMasker, type MaskOptions } from './masker.ts';
import { type MaskRules, NO_RULES } from './rule-set.ts';
import { parseSessionRule } from './session-rule.ts';
import { TargetMasker } from './target-masker.ts';

const values = Object.values(BY_FORM).flat();
const pairs = Object.values(BY_KEY).flat();
const inQuery = (text: string): string => encodeURIComponent(text).replaceAll('%20', '+');

/** What could be a part of a path: words, numbers, keys, secrets whole and in pieces, and the signs between them. */
const piece = fc.oneof(
  fc.constantFrom(...values.map(inQuery), ...values.filter((value) => /^[\x21-\x7e]+$/.test(value))),
  fc.constantFrom(...pairs.map(([key, value]) => `${inQuery(key)}=${inQuery(value)}`)),
  fc.constantFrom(
    'token',
    'reset',
    'access_token=',
    'phone=',
    'code=',
    'q=',
    'Bearer+',
    'basic+',
    '-----BEGIN+',
    'PRIVATE+KEY',
  ),
  fc.constantFrom(
    'xox',
    'b-',
    'sk-',
    'rk_live_',
    'AKIA',
    'ghp_',
    'glpat-',
    'eyJ',
    'LTAI',
    'AIza',
    'masked-abcdefgh',
    's-',
  ),
  fc.constantFrom(
    '/',
    '/',
    '?',
    '&',
    '&',
    '=',
    '.',
    '-',
    '_',
    '+',
    '%',
    '#',
    ';',
    ',',
    '~',
    '!',
    '*',
    "'",
    '(',
    ')',
    ':',
    '@',
  ),
  fc.stringMatching(/^[0-9]{1,20}$/),
  fc.stringMatching(/^[A-Za-z0-9_-]{1,40}$/),
  fc.stringMatching(/^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[0-9a-f]{4}-[0-9a-f]{12}$/),
  fc.string({ maxLength: 40 }).map((text) => Buffer.from(text).toString('base64url')),
  fc.string({ maxLength: 30, unit: 'binary' }).map((text) => Buffer.from(text).toString('base64')),
);
const pathText = fc.array(piece, { maxLength: 9 }).map((pieces) => `/${pieces.join('')}`);
const maskers = [
  createMasker({ key: 'k' }),
  createMasker({
    key: 'k',
    rules: { ...NO_RULES, off: ['phone', 'token'], keep: { keys: ['code'], values: ['abc'] } },
  }),
  createMasker({ key: 'k', rules: { ...NO_RULES, ip: true } }),
];

describe('a path as bytes', () => {
  it('becomes what the rules make of it as a text, and an address too', () => {
    fc.assert(
      fc.property(
        pathText,
        fc.constantFrom('', 'https://shop.example', 'http://u:p@h:1', 'https://1234567.cn'),
        (path, host) => {
          for (const { fields } of maskers) {
            const rules = fields!;
            const targets = new TargetMasker(rules);
            const bytes = pieceOf(Buffer.from(`x${host}${path}y`));
            for (const round of [1, 2]) {
              const { text, replaced } = targets.address(bytes, 1, bytes.bytes.length - 1) ?? { text: host + path };
              expect({ round, text, replaced }).toEqual({ round, ...rules.path(host + path) });
            }
          }
        },
      ),
      { numRuns: 3000 },
    );
  });

  it.each(values)('is never taken for harmless with %s in it', (value) => {
    for (const written of [value, inQuery(value), value.replaceAll(' ', '+')]) {
      const bytes = Buffer.from(written);
      expect(isHarmless(bytes, 0, bytes.length, true)).toBe(false);
      expect(harmlessPathEnd(bytes, 0, bytes.length)).not.toBe(bytes.length);
    }
  });

  it('is not taken for harmless where base64 can be read', () => {
    fc.assert(
      fc.property(fc.oneof(fc.string(), fc.string({ unit: 'grapheme' })), fc.boolean(), (text, url) => {
        const run = Buffer.from(text.toWellFormed())
          .toString(url ? 'base64url' : 'base64')
          .replaceAll('=', '');
        if (run.length < 16 || run.includes('+') || textOfBase64(run) === undefined) return;
        expect(isHarmless(Buffer.from(run), 0, run.length, true)).toBe(false);
      }),
    );
  });
});

let folder = '';
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'line-rows-'));
});
afterAll(() => rmSync(folder, { recursive: true }));

interface Given {
  format?: string;
  session?: string;
  rules?: Partial<MaskRules>;
}

/** The recording, and all that is told about it. */
async function imported(log: string, asText: boolean, { format, session, rules }: Given) {
  const [from, to] = [join(folder, 'in.log'), join(folder, 'out.swr')];
  writeFileSync(from, log, 'latin1');
  const options: MaskOptions = { key: 'a key for both', rules: { ...NO_RULES, ...rules } };
  const masker = createMasker(options);
  const rule = parseSessionRule(session ?? 'ip+ua');
  const result = await importRecording([from], to, { masker, format, session: rule, asText });
  return { bytes: readFileSync(to).toString('base64'), masked: Object.fromEntries(masker.counts), ...result };
}

const FORMATS: [string, Given, (path: string, agent: string, n: number) => string][] = [
  [
    'nginx combined',
    {},
    (path, agent, n) =>
      `10.0.${n % 7}.1 - - [11/Nov/2026:00:00:0${n % 10} +0000] "GET ${path} HTTP/1.1" ${n % 9 === 0 ? '-' : 200} 5 "https://shop.example${path}" "${agent}"`,
  ],
  [
    'nginx with parts of seconds, forwarded addresses and rules',
    {
      format:
        '$msec $remote_addr "$http_x_forwarded_for" "$request" $status $request_time "$http_user_agent" $sent_http_etag',
      rules: { ip: true },
    },
    (path, agent, n) =>
      `1794355200.${100 + (n % 900)} 10.0.0.${n % 9} "${n % 3 === 0 ? '-' : `20.0.0.${n % 5}, 1.1.1.1`}" "POST ${path} HTTP/2.0" 20${n % 10} 0.0${n % 10} "${agent}" e-${n}`,
  ],
  [
    'Apache, sessions by a cookie',
    { format: '%t %v "%r" %>s %D "%{Cookie}i" "%{Referer}i"', session: 'cookie:sid', rules: { off: ['phone'] } },
    (path, agent, n) =>
      `[11/Nov/2026:00:00:0${n % 10} +0100] shop.example "PUT ${path} HTTP/1.0" 404 ${n} "sid=s${n % 4}; a=${agent}" "-"`,
  ],
  [
    'HAProxy',
    {},
    (path, _agent, n) =>
      `Nov 11 00:00:00 lb haproxy[1]: 203.0.113.${n % 9}:${4000 + n} [11/Nov/2026:00:00:00.${100 + n}] http-in static/srv1 10/0/30/69/+${n} 200 2750 - - ---- 1/1/1/1/0 0/0 "GET ${path} HTTP/1.1"`,
  ],
  [
    'Envoy’s own fields',
    { format: '[%START_TIME%] %REQ(:METHOD)% %REQ(:PATH)% %RESPONSE_CODE% %DURATION% "%REQ(USER-AGENT)%"' },
    (path, agent, n) => `[2026-11-11T00:00:00.${100 + (n % 900)}Z] GET ${path} 200 ${n} "${agent}"`,
  ],
];

describe('a log whose plain lines become rows as bytes', () => {
  const agentText = fc.oneof(
    fc.constantFrom(
      'Mozilla/5.0 (X11) 1.2.3',
      '-',
      '',
      'a "quoted" one',
      'é',
      '\\x22q\\x22',
      'x'.repeat(300),
      '13800138000',
    ),
    fc.string({ maxLength: 30 }).map((text) => text.replaceAll(/[\r\n]/g, ' ')),
  );
  it.each(FORMATS)('makes the same recording as one read as texts: %s', async (_name, given, line) => {
    const asked = fc.asyncProperty(
      fc.array(fc.tuple(pathText, agentText, fc.nat(20)), { minLength: 1, maxLength: 40 }),
      fc.constantFrom('\n', '\r\n'),
      async (lines, end) => {
        const made = lines.map(([path, agent, broken], n) => (broken === 20 ? '# x' : line(path, agent, n)));
        const log = `${line('/', 'a', 1)}\n${line('/', 'a', 2)}\n${made.map((one) => one + end).join('')}${line('/end', 'b', 3)}`;
        expect(await imported(log, false, given)).toEqual(await imported(log, true, given));
      },
    );
    await fc.assert(asked, { numRuns: 25 });
  });
});
