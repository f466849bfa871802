import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { type ImportOptions, type ImportResult, importRecording } from './import-recording.ts';
import { inspectRecording } from './inspect-recording.ts';
import { createMasker, type Masker } from './masker.ts';
import type { Recorded } from './recorded.ts';
import { openRecording } from './recording-reader.ts';

let folder = '';
let out = '';
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'import-'));
  out = join(folder, 'out.swr');
});
afterEach(() => rmSync(folder, { recursive: true }));

/** Marks what it has seen, so that a test can tell that nothing gets by it. */
const marking: Masker = {
  mask: (request) => ({ ...request, session: `masked ${request.session}` }),
  counts: new Map(),
};

function input(name: string, content: string | Buffer): string {
  const path = join(folder, name);
  writeFileSync(path, content);
  return path;
}

function importAll(paths: string[], options: Partial<ImportOptions> = {}): Promise<ImportResult> {
  return importRecording(paths, out, { masker: marking, session: { by: 'ip+ua' }, ...options });
}

async function recorded(): Promise<Recorded[]> {
  await using recording = await openRecording(out);
  const requests: Recorded[] = [];
  for await (const request of recording.read()) requests.push(request);
  return requests;
}

const line = (second: number, path: string, address = '203.0.113.7'): string =>
  `${address} - - [11/Nov/2026:00:00:${String(second).padStart(2, '0')} +0000] "GET ${path} HTTP/1.1" 200 1 "-" "a"\n`;

const FORMAT = '$msec $remote_addr "$request" $status $request_time';
const timed = (ms: number, path: string, took: string): string =>
  `${((1_794_355_200_000 + ms) / 1000).toFixed(3)} 203.0.113.7 "GET ${path} HTTP/1.1" 200 ${took}\n`;

describe('an import', () => {
  it('masks every request before it is written', async () => {
    await importAll([input('a.log', line(1, '/a') + line(2, '/b'))]);
    expect((await recorded()).every(({ session }) => session?.startsWith('masked 203.0.113.7 '))).toBe(true);
  });

  it('leaves nothing private that the masker knows, in malformed lines neither', async () => {
    const mail = 'jane.doe@shop.example';
    const { malformed } = await importAll(
      [input('a.log', `${line(1, `/find?mail=${mail}`)}\u001b[31m ${mail} was here\n`)],
      {
        masker: createMasker(),
      },
    );
    const [request] = await recorded();
    expect(JSON.stringify(request)).not.toContain('jane');
    expect(request!.session).not.toContain('203.0.113.7');
    expect(malformed.shown).toMatchObject([{ number: 2, text: '·[31m ***@*** was here' }]);
    expect(readFileSync(out).includes('jane')).toBe(false);
  });

  it('counts malformed lines by reason and shows the first 20', async () => {
    const bad = Array.from({ length: 30 }, (_, index) => `bad ${index} ${'x'.repeat(300)}\n`).join('');
    const { malformed, summary, inputs } = await importAll([input('a.log', line(1, '/a') + bad)]);
    expect(malformed.count).toBe(30);
    expect([...malformed.reasons]).toEqual([['not nginx combined: it parts from the format at $remote_addr', 30]]);
    expect(malformed.shown.map(({ number }) => number)).toEqual(Array.from({ length: 20 }, (_, index) => index + 2));
    expect(malformed.shown.every(({ text }) => text.length <= 200)).toBe(true);
    expect(summary).toMatchObject({ requests: 1, malformed: 30, spread: 1 });
    expect(inputs).toMatchObject([{ format: 'nginx combined', requests: 1, malformed: 30 }]);
  });

  it('puts in order by start what the log has by end, and says what came too late', async () => {
    const log =
      timed(0, '/1', '0.000') + timed(5000, '/3', '0.100') + timed(6000, '/2', '5.500') + timed(200_000, '/5', '0');
    const { summary } = await importAll([input('a.log', log + timed(201_000, '/late', '190'))], { format: FORMAT });
    expect((await recorded()).map(({ path, atMs }) => [path, atMs - 1_794_355_200_000])).toEqual([
      ['/1', 0],
      ['/2', 500],
      ['/3', 4900],
      ['/late', 11_000],
      ['/5', 200_000],
    ]);
    expect(summary).toMatchObject({ late: 0, spread: 0 });
  });

  it('reads several inputs side by side, packed or not', async () => {
    const first = input('a.log', [1, 3, 5, 7].map((second) => line(second, `/a${second}`)).join(''));
    const second = input(
      'b.log.gz',
      gzipSync([2, 4, 6, 8].map((one) => line(one, `/b${one}`, '203.0.113.9')).join('')),
    );
    const { inputs } = await importAll([second, first]);
    expect((await recorded()).map(({ path }) => path)).toEqual([
      '/a1',
      '/b2',
      '/a3',
      '/b4',
      '/a5',
      '/b6',
      '/a7',
      '/b8',
    ]);
    expect(inputs.map(({ requests }) => requests)).toEqual([4, 4]);
    await using recording = await openRecording(out);
    expect(recording.origin).toEqual({ format: 'nginx combined', inputs: ['b.log.gz', 'a.log'], session: 'ip+ua' });
  });

  it('keeps logs of different days in order, whatever the order they are named in', async () => {
    const days = [12, 11, 13].map((day) => input(`${day}.log`, line(1, `/${day}`).replace('11/Nov', `${day}/Nov`)));
    const { summary } = await importAll(days);
    expect((await recorded()).map(({ path }) => path)).toEqual(['/11', '/12', '/13']);
    expect(summary.late).toBe(0);
  });

  it('of a file without a request is an error, and leaves no file', async () => {
    const paths = [input('a.log', line(1, '/a')), input('b.log', 'nothing\nof use\n')];
    await expect(importAll(paths, { from: 'nginx', format: 'combined' })).rejects.toMatchObject({
      code: 'IMPORT_EMPTY',
      message: expect.stringMatching(/b\.log holds no request: 2 of 2 are malformed; number 1: not nginx combined/),
    });
    expect(readdirSync(folder).toSorted()).toEqual(['a.log', 'b.log']);
  });

  it('leaves an older recording alone when it fails', async () => {
    writeFileSync(out, 'older');
    await expect(importAll([join(folder, 'nowhere.log')])).rejects.toMatchObject({ code: 'FILE_UNREADABLE' });
    await expect(importAll([input('cut.gz', gzipSync(line(1, '/a')).subarray(0, 40))])).rejects.toMatchObject({
      code: 'FILE_UNREADABLE',
    });
    expect(readFileSync(out, 'utf8')).toBe('older');
    expect(existsSync(`${out}.part`)).toBe(false);
  });

  it('says where it cannot write', async () => {
    const path = input('a.log', line(1, '/a'));
    out = join(folder, 'no such folder', 'out.swr');
    await expect(importAll([path])).rejects.toMatchObject({ code: 'FILE_UNREADABLE', message: /cannot be written/ });
  });
});

describe('an inspection', () => {
  it('finds what is in a recording', async () => {
    const paths = [
      '/items/1?x=1',
      '/items/2',
      '/items/2',
      '/',
      '/o/0d5a1e52-0000-4000-8000-0123456789ab/pay',
      '/o/deadbeef0123/pay',
    ];
    await importAll([input('a.log', paths.map((path, index) => line(index < 4 ? 1 : 4, path)).join(''))]);
    await using recording = await openRecording(out);
    const inspection = await inspectRecording(recording);
    expect(inspection).toMatchObject({
      requests: 6,
      sessions: { count: 1, estimated: false, without: 0, requests: { p50: 6, p99: 6, most: 6 } },
      methods: { GET: 6 },
      statuses: { '2xx': 6 },
      rate: {
        peak: { atMs: Date.parse('2026-11-11T00:00:01Z'), requests: 4 },
        curve: { columnMs: 1000, rates: [4, 0, 0, 2] },
      },
      mix: [
        { path: '/items/{id}', requests: 3 },
        { path: '/o/{id}/pay', requests: 2 },
        { path: '/', requests: 1 },
      ],
      uncounted: { mix: 0, topPaths: 0 },
      imported: { malformed: 0, spread: 6 },
    });
    expect(inspection.topPaths[0]).toEqual({ path: '/items/2', requests: 2 });
  });

  it('of one that was cut off tells what is left', async () => {
    await importAll([input('a.log', line(1, '/a') + line(2, '/b'))]);
    writeFileSync(out, readFileSync(out).subarray(0, -1));
    await using recording = await openRecording(out, { salvage: true });
    const inspection = await inspectRecording(recording);
    expect(inspection.requests).toBe(2);
    expect(inspection.lostBytes).toBeGreaterThan(0);
    expect(inspection.imported).toBeUndefined();
  });
});
