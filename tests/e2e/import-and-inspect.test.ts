import { mkdtempSync, readFileSync, rmSync, truncateSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { cli, ROOT } from '../support/cli.ts';

const SAMPLES = join(ROOT, 'fixtures/recordings');

let folder = '';
let out = '';
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'recordings-'));
  out = join(folder, 'day.swr');
});
afterAll(() => rmSync(folder, { recursive: true }));

describe('a log becomes a recording', () => {
  it('and what is in it is told, on the way in and afterwards', async () => {
    const imported = await cli([
      'import',
      join(SAMPLES, 'nginx-combined.log'),
      join(SAMPLES, 'apache-vhost.log'),
      '-o',
      out,
    ]);
    expect(imported.stderr).toBe('');
    expect(imported.code).toBe(0);
    expect(imported.stdout).toContain(`${out} holds 7 requests`);
    expect(imported.stdout).toMatch(/nginx-combined\.log: nginx combined, .* 5 requests/);
    expect(imported.stdout).toMatch(/apache-vhost\.log: apache vhost_combined, .* 2 requests/);
    expect(imported.stdout).toContain('5 malformed');
    expect(imported.stdout).toMatch(/nginx-combined\.log:8: not nginx combined.*\n {4}not a line of this log at all/);

    const inspected = await cli(['inspect', out]);
    expect(inspected.code).toBe(0);
    expect(inspected.stdout).toContain('day.swr: recording of version 1');
    expect(inspected.stdout).toMatch(/requests +7: GET 71\.43%, /);
    expect(inspected.stdout).toMatch(/7 had whole seconds only and were spread evenly over them/);
    expect(inspected.stdout).toMatch(/14\.29% {2}POST {4}\/orders/);

    const json = JSON.parse((await cli(['inspect', out, '--json'])).stdout) as Record<string, unknown>;
    expect(json).toMatchObject({ file: 'day.swr', version: 1, requests: 7, imported: { malformed: 5, spread: 7 } });
    expect(readFileSync(out).includes('203.0.113.7')).toBe(false);
  });

  it('from a format of its own, and is told in JSON', async () => {
    const log = join(folder, 'own.log');
    writeFileSync(log, '1794355200.125 /a?mail=jane@shop.example 200\n1794355201.5 /b 200\nbroken\n');
    const { code, stdout } = await cli(['import', log, '-o', out, '--json', '--format', '$msec $request_uri $status']);
    expect(code).toBe(0);
    expect(JSON.parse(stdout)).toMatchObject({
      requests: 2,
      firstMs: 1_794_355_200_125,
      methods: { GET: 2 },
      malformed: 1,
      malformedShown: [{ number: 3, text: 'broken' }],
      masked: { mail: 1 },
      withoutSession: 2,
    });
  });

  it('or says why not', async () => {
    const nothing = join(folder, 'nothing.log');
    writeFileSync(nothing, 'no log\n');
    const unknown = await cli(['import', nothing, '-o', join(folder, 'x.swr')]);
    expect([unknown.code, unknown.stderr.split(':')[0]]).toEqual([3, 'IMPORT_UNRECOGNISED']);
    const empty = await cli(['import', nothing, '-o', join(folder, 'x.swr'), '--format', '$msec "$request"']);
    expect([empty.code, empty.stderr.split(':')[0]]).toEqual([4, 'IMPORT_EMPTY']);
    const rule = await cli(['import', nothing, '-o', join(folder, 'x.swr'), '--session', 'colour']);
    expect([rule.code, rule.stderr.split(':')[0]]).toEqual([3, 'USAGE']);
    const source = await cli(['import', nothing, '-o', join(folder, 'x.swr'), '--from', 'iis']);
    expect([source.code, source.stderr]).toEqual([
      3,
      expect.stringContaining('Known: nginx, apache, haproxy, envoy, har, gor'),
    ]);
  });
});

describe('a recording that is not whole', () => {
  it('is inspected as far as it goes', async () => {
    await cli(['import', join(SAMPLES, 'requests.gor'), '-o', out]);
    truncateSync(out, readFileSync(out).length - 3);
    const cut = await cli(['inspect', out]);
    expect(cut.code).toBe(0);
    expect(cut.stdout).toMatch(/CUT OFF: the last \d+ bytes are lost; 3 requests before them can be read/);
    const kept = join(folder, 'kept.swr');
    const salvaged = await cli(['inspect', out, '--salvage', kept]);
    expect(salvaged.stdout).toBe(`${kept} holds the 3 requests that were left\n`);
    expect((await cli(['inspect', kept])).stdout).toMatch(
      /this is what was left of day\.swr, whose last \d+ bytes were lost/,
    );
    truncateSync(out, 0);
    const empty = await cli(['inspect', out]);
    expect([empty.code, empty.stderr.split(':')[0]]).toEqual([4, 'RECORDING_EMPTY']);
    const foreign = await cli(['inspect', join(SAMPLES, 'visit.har')]);
    expect([foreign.code, foreign.stderr.split(':')[0]]).toEqual([4, 'RECORDING_FOREIGN']);
  });
});
