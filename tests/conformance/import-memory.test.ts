import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { ROOT } from '../support/cli.ts';

/** A stream of requests in the format of a source, without end; some private, some malformed, none alike. */
type Maker = (index: number) => string;

const START_MS = Date.UTC(2026, 10, 11);
const SMALL_MB = 8;
const LARGE_MB = 64;
/** The collector's slack and the reorder window; holding the larger stream, even as bare bytes, would take 56 MB more. */
const GROWTH_MB = 48;

const seconds = (index: number): string => ((START_MS + index * 2) / 1000).toFixed(3);

const accessLine: Maker = (index) =>
  index % 1000 === 999
    ? `a probe, number ${index}\n`
    : `${seconds(index)} 10.${index % 200}.${index % 13}.1 "GET /items/${(index * 7919) % 1_000_003}?q=${index} HTTP/1.1" 200 0.${100 + (index % 900)} "agent ${index % 500} ${'x'.repeat(100)}"\n`;

const harEntry: Maker = (index) =>
  `${index === 0 ? '{"log":{"version":"1.2","entries":[' : ',\n'}${JSON.stringify({
    startedDateTime: new Date(START_MS + index * 20).toISOString(),
    time: index % 700,
    request: {
      method: 'GET',
      url: `https://shop.example/items/${index}`,
      headers: [{ name: 'Cookie', value: `sid=${index % 300}` }],
    },
    response: { status: 200, headers: [], content: { text: 'x'.repeat(1000) } },
  })}`;

const gorPayload: Maker = (index) =>
  `1 ${index.toString(16)} ${START_MS + index * 2}000000 0\nPOST /orders/${index} HTTP/1.1\r\nHost: shop.example\r\n\r\n{"n":${index}}\n🐵🙈🙉\n2 ${index.toString(16)} ${START_MS + index * 2 + 1}000000 1000000\nHTTP/1.1 201 Created\r\n\r\n${'y'.repeat(300)}\n🐵🙈🙉\n`;

let folder = '';
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'import-memory-'));
});
afterAll(() => rmSync(folder, { recursive: true }));

function* pieces(make: Maker, megabytes: number, end: string): Generator<Buffer> {
  let left = megabytes * 1024 * 1024;
  for (let index = 0; left > 0; ) {
    let text = '';
    while (text.length < 64 * 1024) text += make(index++);
    left -= text.length;
    yield Buffer.from(text);
  }
  yield Buffer.from(end);
}

interface Import {
  peakMb: number;
  requests: number;
  malformed: number;
  seconds: number;
}

/** The real command with the stream at its stdin; the most memory that it ever had, as the kernel counts it. */
async function importStream(make: Maker, megabytes: number, args: string[], end = ''): Promise<Import> {
  const startedMs = performance.now();
  // As `npm run seawall` starts it: a nursery of V8's own choice holds up to 150 MB of garbage more.
  const command = [
    '--max-semi-space-size=2',
    join(ROOT, 'harness/cli.ts'),
    'import',
    '-',
    '-o',
    join(folder, 'out.swr'),
    '--json',
    ...args,
  ];
  const child = spawn(process.execPath, command, { stdio: ['pipe', 'pipe', 'inherit'] });
  const ended = once(child, 'close');
  let out = '';
  let peakMb = 0;
  const look = setInterval(() => {
    peakMb = Math.max(peakMb, residentMb(child.pid!));
  }, 50);
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    out += text;
  });
  Readable.from(pieces(make, megabytes, end)).pipe(child.stdin);
  const [code] = await ended;
  clearInterval(look);
  expect(code).toBe(0);
  const { requests, malformed } = JSON.parse(out) as { requests: number; malformed: number };
  return { peakMb, requests, malformed, seconds: (performance.now() - startedMs) / 1000 };
}

function residentMb(pid: number): number {
  try {
    return Number(/VmHWM:\s+(\d+) kB/.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1] ?? 0) / 1024;
  } catch {
    // It has just ended; what was seen before counts.
    return 0;
  }
}

describe.skipIf(process.platform !== 'linux')('an import’s memory (asked of /proc)', () => {
  it.each<[string, Maker, string[], string]>([
    [
      'access log',
      accessLine,
      ['--format', '$msec $remote_addr "$request" $status $request_time "$http_user_agent"'],
      '',
    ],
    ['GoReplay', gorPayload, [], ''],
    ['HAR', harEntry, ['--session', 'cookie:sid'], ']}}'],
  ])('does not grow with its input: %s', async (name, make, args, end) => {
    const small = await importStream(make, SMALL_MB, args, end);
    const large = await importStream(make, LARGE_MB, args, end);
    console.info(
      `${name}: ${small.peakMb.toFixed(0)} MB for ${SMALL_MB} MB, ${large.peakMb.toFixed(0)} MB for ${LARGE_MB} MB; ${(LARGE_MB / large.seconds).toFixed(1)} MB/s, masked, through a pipe`,
    );
    expect(small.peakMb).toBeGreaterThan(20);
    expect(large.requests).toBeGreaterThan(small.requests * 7);
    expect(large.malformed > 0).toBe(make === accessLine);
    expect(large.peakMb - small.peakMb).toBeLessThan(GROWTH_MB);
  });
});
