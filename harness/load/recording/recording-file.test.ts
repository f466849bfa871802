import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { isDeepStrictEqual } from 'node:util';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Recorded } from './recorded.ts';
import { NO_NOTES, type RecordingOrigin } from './recording-format.ts';
import { openRecording, type ReadOptions } from './recording-reader.ts';
import { RecordingWriter } from './recording-writer.ts';
import { salvageRecording } from './salvage-recording.ts';

const ORIGIN: RecordingOrigin = { format: 'test', inputs: ['here'], session: 'ip+ua' };
const START_MS = 1_794_355_200_000;

let folder = '';
let file = '';
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'recording-'));
  file = join(folder, 'a.swr');
});
afterAll(() => rmSync(folder, { recursive: true }));

const text = fc.string({ unit: 'grapheme', maxLength: 40 });
const headers = fc
  .array(fc.tuple(fc.constantFrom('host', 'user-agent', 'x-own', 'ü'), text), { maxLength: 4 })
  .map((pairs) => pairs.flat());
const micros = fc.integer({ min: 0, max: 600_000_000 });
const recorded: fc.Arbitrary<Recorded> = fc.record({
  atMs: micros.map((us) => (START_MS * 1000 + us) / 1000),
  session: fc.option(fc.constantFrom('a', 'b', 'c', 'd', 'e'), { nil: undefined }),
  method: fc.constantFrom('GET', 'POST', 'PROPFIND'),
  path: text.map((rest) => `/${rest}`),
  headers,
  body: fc.option(fc.oneof(text, fc.constant('x'.repeat(5000))), { nil: undefined }),
  status: fc.option(fc.integer({ min: 100, max: 599 }), { nil: undefined }),
  tookMs: fc.option(
    micros.map((us) => us / 1000),
    { nil: undefined },
  ),
  answerHeaders: headers,
  answerBody: fc.option(text, { nil: undefined }),
});

function write(requests: readonly Recorded[], flushEvery = Number.POSITIVE_INFINITY): void {
  const writer = new RecordingWriter(file, ORIGIN);
  requests.forEach((request, index) => {
    writer.add(request);
    if (index % flushEvery === flushEvery - 1) writer.flush();
  });
  writer.close(NO_NOTES);
}

async function read(options?: ReadOptions, salvage = false): Promise<Recorded[]> {
  await using recording = await openRecording(file, { salvage });
  const requests: Recorded[] = [];
  for await (const request of recording.read(options)) requests.push(request);
  return requests;
}

function request(index: number, session = `s${index % 7}`): Recorded {
  return {
    atMs: START_MS + index * 10,
    session,
    method: 'GET',
    path: `/items/${index}`,
    headers: [],
    body: undefined,
    status: 200,
    tookMs: undefined,
    answerHeaders: [],
    answerBody: undefined,
  };
}

const codeOf = (work: Promise<unknown>): Promise<string> =>
  work.then(
    () => 'none',
    (thrown: { code: string }) => thrown.code,
  );

describe('a recording', () => {
  it('gives back what was written, in order of time, equal times in the order they came', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(recorded, { minLength: 1, maxLength: 40 }), async (requests) => {
        write(requests);
        expect(await read()).toEqual(requests.toSorted((a, b) => a.atMs - b.atMs));
      }),
      { numRuns: 60 },
    );
  });

  it('is read from a time on, whichever block it is in', async () => {
    const requests = Array.from({ length: 50 }, (_, index) => request(index));
    write(requests, 8);
    for (const fromMs of [START_MS - 1, START_MS, START_MS + 75, START_MS + 80, START_MS + 490, START_MS + 491]) {
      expect(await read({ fromMs })).toEqual(requests.filter(({ atMs }) => atMs >= fromMs));
    }
  });

  it('is split into stripes that keep sessions whole and together are everything', async () => {
    const requests = Array.from({ length: 90 }, (_, index) => request(index));
    for (const index of [5, 6, 40]) requests[index]!.session = undefined;
    write(requests, 20);
    const stripes = await Promise.all([0, 1, 2].map((index) => read({ stripe: { index, of: 3 } })));
    expect(stripes.flat().toSorted((a, b) => a.atMs - b.atMs)).toEqual(requests);
    const sessions = stripes.map((stripe) => new Set(stripe.flatMap(({ session }) => session ?? [])));
    expect([...sessions[0]!, ...sessions[1]!, ...sessions[2]!].toSorted()).toEqual(
      [...new Set([...sessions[0]!, ...sessions[1]!, ...sessions[2]!])].toSorted(),
    );
    expect(stripes.filter((stripe) => stripe.length > 0).length).toBeGreaterThan(1);
  });

  it('knows its totals and its sessions without being read', async () => {
    write(Array.from({ length: 21 }, (_, index) => ({ ...request(index), body: index === 3 ? 'é' : undefined })));
    await using recording = await openRecording(file);
    expect(recording.origin).toEqual(ORIGIN);
    expect(recording.summary).toMatchObject({
      requests: 21,
      firstMs: START_MS,
      lastMs: START_MS + 200,
      sessions: 7,
      sessionsEstimated: false,
      withoutSession: 0,
      methods: { GET: 21 },
      statuses: { '2xx': 21 },
      bodies: 1,
      bodyBytes: 2,
      peak: { atMs: START_MS, requests: 21 },
      late: 0,
    });
    expect(recording.sessions!.spans[0]).toEqual({ requests: 3, firstMs: START_MS, lastMs: START_MS + 140 });
  });
});

describe('a file that is not whole', () => {
  const requests = Array.from({ length: 24 }, (_, index) => request(index));

  it('is refused wherever it was cut off, and its whole blocks are read when asked for', async () => {
    write(requests, 8);
    const bytes = readFileSync(file);
    const salvaged = new Set<number>();
    for (let length = 1; length < bytes.length; length += 3) {
      writeFileSync(file, bytes.subarray(0, length));
      expect([length, await codeOf(openRecording(file))]).toEqual([
        length,
        length === 1 ? 'RECORDING_FOREIGN' : 'RECORDING_TRUNCATED',
      ]);
      if (length < 20 || (await codeOf(read({}, true))) === 'RECORDING_TRUNCATED') continue;
      const left = await read({}, true);
      expect(left).toEqual(requests.slice(0, left.length));
      salvaged.add(left.length);
    }
    expect([...salvaged]).toEqual([0, 8, 16, 24]);
  });

  it('says how much is whole and how much is lost', async () => {
    write(requests, 8);
    const bytes = readFileSync(file);
    await using whole = await openRecording(file);
    const end = whole.blocks[2]!.offset + 10;
    writeFileSync(file, bytes.subarray(0, end));
    await expect(openRecording(file)).rejects.toThrow('16 requests are whole, the last 10 bytes are not');
    await using cut = await openRecording(file, { salvage: true });
    expect(cut.lost).toEqual({ bytes: 10 });
  });

  it('can be made a whole one of what is left', async () => {
    write(requests, 8);
    writeFileSync(file, readFileSync(file).subarray(0, -30));
    const kept = join(folder, 'kept.swr');
    {
      await using cut = await openRecording(file, { salvage: true });
      await salvageRecording(cut, kept);
    }
    await using whole = await openRecording(kept);
    expect(whole.summary).toMatchObject({ requests: 24, sessions: 7 });
    writeFileSync(file, readFileSync(file).subarray(0, 80));
    await using nothing = await openRecording(file, { salvage: true });
    await expect(salvageRecording(nothing, kept)).rejects.toMatchObject({ code: 'RECORDING_EMPTY' });
  });

  it('is found out wherever a bit of it has changed', async () => {
    write(requests, 8);
    const bytes = readFileSync(file);
    await fc.assert(
      fc.asyncProperty(fc.nat(bytes.length - 1), fc.nat(7), async (at, bit) => {
        const changed = Buffer.from(bytes);
        changed[at]! ^= 1 << bit;
        writeFileSync(file, changed);
        const result = await read().catch((thrown: { code: string }) => thrown.code);
        // Only what a block's own head repeats, and the origin's text, can change without harm.
        const told = typeof result === 'string' ? /^RECORDING_/.test(result) : isDeepStrictEqual(result, requests);
        expect([result, told]).toEqual([result, true]);
      }),
      { numRuns: 300 },
    );
  });

  it('has its own word for each kind', async () => {
    writeFileSync(file, '');
    expect(await codeOf(openRecording(file))).toBe('RECORDING_EMPTY');
    write([]);
    expect(await codeOf(openRecording(file))).toBe('RECORDING_EMPTY');
    writeFileSync(file, '{"log":{"entries":[]}}');
    expect(await codeOf(openRecording(file))).toBe('RECORDING_FOREIGN');
    expect(await codeOf(openRecording(join(folder, 'nowhere.swr')))).toBe('FILE_UNREADABLE');
    write(requests);
    const bytes = readFileSync(file);
    bytes.writeUInt16LE(2, 8);
    writeFileSync(file, bytes);
    expect(await codeOf(openRecording(file))).toBe('RECORDING_NEWER');
    await expect(openRecording(file)).rejects.toThrow('version 2; this Seawall reads up to version 1');
  });
});
