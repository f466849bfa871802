import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { MessageChannel } from 'node:worker_threads';
import { afterAll, describe, expect, it } from 'vitest';
import { HarnessError } from '../core/errors.ts';
import { seeded } from '../core/random.ts';
import { generatedTable, type ReadTable } from '../core/table.ts';
import type { FeedSkew, FeedSpec } from '../spi/plan.ts';
import { type FeedRows, feedOf, feedOver, type ReadFeed, readFeed } from './feed.ts';

const folder = mkdtempSync(join(tmpdir(), 'seawall-feed-'));
afterAll(() => rmSync(folder, { recursive: true }));

const openFeed = async (spec: FeedSpec): Promise<FeedRows> => feedOf(await readFeed(spec));

function csv(name: string, text: string, more: Partial<FeedSpec> = {}): FeedSpec {
  const file = join(folder, name);
  writeFileSync(file, text);
  return { source: { csv: file }, order: 'unique', skew: undefined, ...more };
}

const errorOf = async (spec: FeedSpec): Promise<HarnessError> => {
  const thrown: unknown = await openFeed(spec).catch((error: unknown) => error);
  if (thrown instanceof HarnessError) return thrown;
  throw new Error('expected a HarnessError');
};

describe('openFeed', () => {
  it('reads each kind of source', async () => {
    const users = await openFeed(csv('users.csv', 'id,city\n7,HZ\n8,SH\n'));
    expect([users.columns, users.count, users.row(1)]).toEqual([['id', 'city'], 2, ['8', 'SH']]);
    const file = join(folder, 'users.jsonl');
    writeFileSync(file, '{"id":7}\n{"id":8}\n');
    const lines = await openFeed({ source: { jsonLines: file }, order: 'circular', skew: undefined });
    expect(lines.row(3)).toEqual([8]);
    const made = await openFeed({ source: { generate: { id: 'u{row}' }, rows: 3 }, order: 'unique', skew: undefined });
    expect(made.row(2)).toEqual(['u3']);
  });

  it('says which file and which line is wrong', async () => {
    const missing = await errorOf({ source: { csv: join(folder, 'none.csv') }, order: 'unique', skew: undefined });
    expect(missing.code).toBe('FEED_UNUSABLE');
    expect(missing.message).toContain('none.csv cannot be read');
    expect((await errorOf(csv('empty.csv', 'id\n'))).message).toMatch(/empty\.csv has no rows$/);
    expect((await errorOf(csv('bad.csv', 'id,b\n1,2\n3\n'))).message).toMatch(/bad\.csv:3: 1 field where/);
  });
});

describe('the order of a feed', () => {
  const table = generatedTable({ id: 'u{row}' }, 3);
  const random = (): number => 0.5;

  it('unique gives each row once and then none', () => {
    const feed = feedOver(table, { order: 'unique', skew: undefined });
    expect([0, 1, 2, 3].map((start) => feed.rowFor(start, random)?.[0])).toEqual(['u1', 'u2', 'u3', undefined]);
  });

  it('circular begins again', () => {
    const feed = feedOver(table, { order: 'circular', skew: undefined });
    expect([2, 3, 7].map((start) => feed.rowFor(start, random)?.[0])).toEqual(['u3', 'u1', 'u2']);
  });

  it('random gives the same for the same chance, whatever the start', () => {
    const feed = feedOver(table, { order: 'random', skew: undefined });
    const drawn = (seed: number) => {
      const chance = seeded(seed);
      const stream = (): number => chance.next();
      return Array.from({ length: 20 }, (_, start) => feed.rowFor(start, stream)?.[0]);
    };
    expect(drawn(4)).toEqual(drawn(4));
    expect(new Set(drawn(4)).size).toBe(3);
  });
});

describe('the skew of a feed', () => {
  const table = generatedTable({ seller: 's{row}' }, 100);
  const share = (skew: FeedSkew, seller: string): number => {
    const feed = feedOver(table, { order: 'random', skew });
    const chance = seeded(2);
    const random = (): number => chance.next();
    const draws = 100_000;
    let hits = 0;
    for (let n = 0; n < draws; n++) if (feed.draw(random)[0] === seller) hits++;
    return hits / draws;
  };

  it('follows Zipf: row k weighs k^-s', () => {
    const harmonic = Array.from({ length: 100 }, (_, n) => 1 / (n + 1)).reduce((sum, part) => sum + part, 0);
    expect(Math.abs(share({ zipf: 1, whales: undefined }, 's1') - 1 / harmonic)).toBeLessThan(0.005);
    expect(Math.abs(share({ zipf: 1, whales: undefined }, 's10') - 0.1 / harmonic)).toBeLessThan(0.003);
  });

  it('gives a named whale its factor over what it would have', () => {
    const whales = { column: 'seller', times: { s50: 100 } };
    // 100 of 199 equal parts.
    expect(Math.abs(share({ zipf: 0, whales }, 's50') - 100 / 199)).toBeLessThan(0.006);
    expect(Math.abs(share({ zipf: 0, whales }, 's51') - 1 / 199)).toBeLessThan(0.002);
  });
});

describe('a feed that was read', () => {
  it('is the same memory in every thread that is sent it', async () => {
    const skew = { zipf: 1, whales: undefined };
    const read = await readFeed(csv('shared.csv', 'id\n1\n2\n3\n', { order: 'random', skew }));
    const { port1, port2 } = new MessageChannel();
    const sent = new Promise<ReadFeed>((resolve) => port2.once('message', resolve));
    port1.postMessage(read);
    const got = await sent;
    port1.close();
    // What the sender of it changes, the other sees.
    const source = read.source as ReadTable;
    source.bytes.set(Buffer.from('9'), 3);
    expect(feedOf({ ...got, order: 'unique' }).row(0)).toEqual(['9']);
    expect((got.source as ReadTable).offsets.buffer).toBeInstanceOf(SharedArrayBuffer);
    expect(got.weights!.keep.buffer).toBeInstanceOf(SharedArrayBuffer);
    const random = () => 0.9;
    expect(feedOf(got).draw(random)).toEqual(feedOf(read).draw(random));
  });
});
