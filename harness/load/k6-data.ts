import { createWriteStream } from 'node:fs';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import type { AliasSlots } from '../core/alias-table.ts';
import { HarnessError } from '../core/errors.ts';
import { formatCount } from '../core/units.ts';
import type { LoadSpec } from '../spi/load.ts';
import type { FeedSpec } from '../spi/plan.ts';
import { type FeedRows, feedOf, type ReadFeed } from './feed.ts';
import { readFeeds } from './feeds.ts';

/** k6 keeps every row as a text of its own. */
const ROWS_MAX = 1_000_000;
const ROWS_A_PIECE = 1000;

/** A feed as a k6 script finds it. */
export interface K6Feed {
  columns: readonly string[];
  order: FeedSpec['order'];
  count: number;
  /** A JSON file with a list of its rows, each a list of cells; or what its rows are made of. */
  rows: { file: string } | { generate: Readonly<Record<string, string>> };
  /** A JSON file with a list of the slots of its weights; undefined where all weigh the same. */
  weights: string | undefined;
}

/** What is too much for a script, in files. */
export interface K6Data {
  /** When starts are due, in µs on k6's clock; undefined where k6 starts them itself. */
  dues: string | undefined;
  feeds: Readonly<Record<string, K6Feed>>;
}

export const NO_DATA: K6Data = { dues: undefined, feeds: {} };

/**
 * Writes what a scenario's script needs into a folder of its own, which k6 reads while it makes its users; the folder goes
 * when this is disposed of. `dues` are in ms from t = 0, as `beginsMs` is, at which k6's clock begins.
 */
export async function writeK6Data(
  spec: LoadSpec,
  dues?: readonly number[],
  beginsMs = 0,
): Promise<K6Data & AsyncDisposable> {
  const read = await readFeeds(spec.scenario);
  if (dues === undefined && Object.keys(read).length === 0) {
    return { ...NO_DATA, [Symbol.asyncDispose]: async () => {} };
  }
  const folder = await mkdtemp(join(tmpdir(), 'seawall-k6-'));
  const remove = (): Promise<void> => rm(folder, { recursive: true, force: true });
  try {
    const feeds = Object.entries(read).map(
      async ([name, feed]) => [name, await writeFeed(folder, name, feed)] as const,
    );
    const data = { dues: await writeDues(folder, dues, beginsMs), feeds: Object.fromEntries(await Promise.all(feeds)) };
    return { ...data, [Symbol.asyncDispose]: remove };
  } catch (thrown) {
    await remove();
    throw thrown;
  }
}

async function writeDues(
  folder: string,
  dues: readonly number[] | undefined,
  beginsMs: number,
): Promise<string | undefined> {
  if (dues === undefined) return undefined;
  const file = join(folder, 'dues.json');
  await writeFile(file, JSON.stringify(dues.map((due) => Math.round((due - beginsMs) * 1000))));
  return file;
}

async function writeFeed(folder: string, name: string, read: ReadFeed): Promise<K6Feed> {
  const { order, source } = read;
  // Asked for as of one that begins again: how far it is used, the script decides.
  const feed = feedOf({ ...read, order: 'circular' });
  const { columns, count } = feed;
  const made = 'generate' in source ? { generate: source.generate } : undefined;
  if (count > ROWS_MAX && (made === undefined || read.weights !== undefined)) {
    const message = `the feed ${name} has ${formatCount(count)} rows; k6 is handed ${formatCount(ROWS_MAX)} at most`;
    throw new HarnessError('LOAD_UNSUPPORTED', message, 'Say `engine: native`, or give the scenario a part of them.');
  }
  const rows = made ?? { file: await writeRows(join(folder, `${name}.json`), feed) };
  const weights =
    read.weights === undefined ? undefined : await writeWeights(join(folder, `${name}-weights.json`), read.weights);
  return { columns, order, count, rows, weights };
}

async function writeRows(file: string, feed: FeedRows): Promise<string> {
  const pieces = function* (): Generator<string, void> {
    for (let from = 0; from < feed.count; from += ROWS_A_PIECE) {
      const length = Math.min(ROWS_A_PIECE, feed.count - from);
      const rows = Array.from({ length }, (_, index) => JSON.stringify(feed.row(from + index)));
      yield `${from === 0 ? '[' : ','}${rows.join(',')}`;
    }
    yield ']';
  };
  await pipeline(Readable.from(pieces()), createWriteStream(file));
  return file;
}

async function writeWeights(file: string, { keep, other }: AliasSlots): Promise<string> {
  await writeFile(file, JSON.stringify(Array.from(keep, (chance, slot) => [chance, other[slot]])));
  return file;
}
