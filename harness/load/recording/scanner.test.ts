import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { BY_FORM, BY_KEY, innocent } from '../../../tests/support/planted-secrets.ts';
import { NO_NOTES } from './recording-format.ts';
import { RecordingWriter } from './recording-writer.ts';
import { NO_RULES } from './rule-set.ts';
import { scanFile } from './scan-file.ts';
import { Scanner } from './scanner.ts';

const scanner = new Scanner();
let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'seawall-scan-'));
});
afterAll(() => rm(folder, { recursive: true, force: true }));

describe('what is nobody’s', () => {
  it('is not found', () => expect(scanner.recorded(innocent())).toEqual([]));

  it.each([
    '1700000000000 2026-11-21T14:02:03.123456Z 0.4111111111111111 550e8400-e29b-41d4-a716-446655440000',
    'GET /img/logo@2x.png HTTP/1.1" 200 5316 "-" "Mozilla/5.0 (X11) Chrome/120.0.0.0"',
    'phone=&token=null&name=123 password: *** mail u[a-p]@ basic settings, bearer of news',
    '{"token":"masked-abcdefghi","phone":"10902487925","card":"1053 5278 3027 5964","name":"某洪寒巨暑往","mail":"uabcdefghijklmnop@masked.invalid"}',
    '+86 109-0248-7925 +9 (994) 606-8142 https://masked-abcdefghi@shop.test/ Bearer masked-abcdefghi',
  ])('%s', (text) => expect(scanner.text(text)).toEqual([]));
});

describe('what is found', () => {
  it('is never shown: of no value more than its first character', () => {
    const values = [
      ...Object.values(BY_FORM).flat(),
      ...Object.values(BY_KEY).flatMap((pairs) => pairs.map(([, value]) => value)),
    ];
    for (const value of values) {
      for (const finding of scanner.recorded(innocent({ body: JSON.stringify({ token: value, note: value }) }))) {
        expect(finding.shape).toMatch(/^[^*]?\**…?$/);
        expect(finding.shape.length).toBeLessThanOrEqual(26);
      }
    }
  });

  it('is placed', () => {
    const found = scanner.recorded(
      innocent({
        path: '/a?q=13800138000',
        headers: ['cookie', 'a=masked-abcdefgh; sid=x1'],
        body: 'ask a@b.io',
        session: '203.0.113.9',
      }),
    );
    expect(found).toEqual([
      { class: 'phone', field: 'path', offset: 5, form: 'plain', shape: '1**********' },
      { class: 'token', field: 'header cookie', offset: 23, form: 'plain', shape: 'x*' },
      { class: 'mail', field: 'body', offset: 4, form: 'plain', shape: 'a*****' },
      { class: 'token', field: 'session', offset: 0, form: 'plain', shape: '2**********' },
    ]);
  });

  it('is found through encodings within encodings, and the form is named', () => {
    const inner = JSON.stringify({ note: '１３８-0013-8000' });
    const twice = Buffer.from(JSON.stringify({ payload: Buffer.from(inner).toString('base64') })).toString('base64url');
    const [found] = scanner.text(`payload=${encodeURIComponent(twice)}`);
    expect(found).toMatchObject({ class: 'phone', form: 'base64, base64, full-width' });
  });

  it('follows the rules that the recording was masked by', () => {
    const text = 'desk: A7, E123456, help@shop.test, 203.0.113.9, name: Lucy';
    const rules = {
      ...NO_RULES,
      keys: { desk: ['desk'] },
      patterns: [{ class: 'employee', matches: 'E[0-9]{6}' }],
      ip: true,
    };
    const classes = (one: typeof NO_RULES) =>
      new Scanner(one)
        .text(text)
        .map((finding) => finding.class)
        .toSorted();
    expect(classes(NO_RULES)).toEqual(['mail', 'name']);
    expect(classes(rules)).toEqual(['desk', 'employee', 'ip', 'mail', 'name']);
    expect(classes({ ...rules, keep: { keys: ['name'], values: ['help@shop.test'] }, off: ['ip'] })).toEqual([
      'desk',
      'employee',
    ]);
  });
});

describe('a file', () => {
  async function scanned(text: string | Buffer, keep = 10) {
    const path = join(folder, `${Math.random()}`);
    await writeFile(path, text);
    return scanFile(path, scanner, keep);
  }

  it('of lines is looked through line by line, packed or not', async () => {
    const text = 'GET /\r\ncall 13800138000\n\nlast line a@b.io';
    for (const bytes of [text, gzipSync(text)]) {
      const scan = await scanned(bytes);
      expect(scan).toMatchObject({ kind: 'text', units: 4 });
      expect(Object.fromEntries(scan.counts)).toEqual({ phone: 1, mail: 1 });
      expect(scan.findings.map(({ at, offset }) => [at, offset])).toEqual([
        [2, 5],
        [4, 10],
      ]);
    }
  });

  it('counts all that it finds and names the first', async () => {
    const scan = await scanned('13800138000\n'.repeat(500), 3);
    expect(scan.counts.get('phone')).toBe(500);
    expect(scan.findings).toHaveLength(3);
  });

  it('of one endless line is looked through in pieces, wherever they end', async () => {
    const filler = 'lorem ipsum '.repeat(100_000);
    const scan = await scanned(`${filler.slice(0, 1024 * 1024 - 5)}call 13800138000 ${filler}a@b.io`);
    expect(Object.fromEntries(scan.counts)).toMatchObject({ phone: expect.any(Number), mail: 1 });
    expect(scan.units).toBe(1);
  });

  it('of JSON is looked at as a whole too: a key reaches values on other lines', async () => {
    const scan = await scanned(JSON.stringify({ list: [{ phones: 1, name: ['Lucy', 'Han Meimei'] }] }, undefined, 2));
    expect(Object.fromEntries(scan.counts)).toEqual({ name: 2 });
  });

  it('that is a recording is read as one, its session and each answer too', async () => {
    const path = join(folder, 'planted.swr');
    const writer = new RecordingWriter(path, { format: 'proxy', inputs: ['shop'], session: 'ip+ua' });
    writer.add(innocent());
    writer.add(innocent({ session: '203.0.113.9', answerBody: '{"receiver":"李雷"}' }));
    writer.close(NO_NOTES);
    const scan = await scanFile(path, scanner, 10);
    expect(scan).toMatchObject({ kind: 'recording', units: 2 });
    expect(scan.findings).toMatchObject([
      { at: 2, field: 'answer body', class: 'name', shape: '李*' },
      { at: 2, field: 'session', class: 'token' },
    ]);
  });

  it.each([
    ['is neither a recording nor a text', Buffer.from([1, 0, 2])],
    ['cut off', Buffer.from('SEAWALLR\u0001')],
  ])('that %s is an error, never clean', async (_what, bytes) => {
    await expect(scanned(bytes)).rejects.toMatchObject({
      code: expect.stringMatching(/^(?:FILE_UNREADABLE|RECORDING_TRUNCATED)$/),
    });
  });
});
