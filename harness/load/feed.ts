import { open } from 'node:fs/promises';
import { type AliasSlots, AliasTable, aliasSlots } from '../core/alias-table.ts';
import { HarnessError, messageOf } from '../core/errors.ts';
import {
  type Cell,
  generatedTable,
  type ReadTable,
  readCsv,
  readJsonLines,
  type Table,
  TableError,
  tableOver,
} from '../core/table.ts';
import { formatCount } from '../core/units.ts';
import type { FeedSkew, FeedSpec } from '../spi/plan.ts';

/** The file lies in memory as it is: more would crowd out the generator. */
const FILE_MAX_BYTES = 1_000_000_000;

/** One row's cells, in the order of the feed's `columns`. */
export type Row = readonly Cell[];

export interface FeedRows {
  readonly order: FeedSpec['order'];
  readonly columns: readonly string[];
  readonly count: number;
  /** Row `index` (from 0) of the load's starts: a `unique` feed has none past its end, a `circular` one begins again. */
  row(index: number): Row | undefined;
  /** A row by chance, weighted by the feed's skew; constant time. */
  draw(random: () => number): Row;
  /** The row of start `index`, by the feed's order: `random` draws it, the others count. */
  rowFor(index: number, random: () => number): Row | undefined;
}

/** A feed as plain memory, the large parts of it shared: what one thread has read, all of them send from. */
export interface ReadFeed {
  order: FeedSpec['order'];
  source: ReadTable | { generate: Record<string, string>; rows: number };
  weights: AliasSlots | undefined;
}

/** Reads a feed, all of it once, so that a bad row is known before the load begins. Throws FEED_UNUSABLE. */
export async function readFeed(spec: FeedSpec): Promise<ReadFeed> {
  const { order, skew } = spec;
  const source = 'generate' in spec.source ? spec.source : await readSource(spec.source);
  const table = tableOf(source);
  if (table.count === 0) {
    throw unusable(`${nameOf(spec.source)} has no rows`, 'Give it at least one row under its header.');
  }
  return { order, source, weights: skew === undefined ? undefined : aliasSlots(weightsOf(table, skew)) };
}

/** The rows of a feed that was read, perhaps by another thread. */
export function feedOf({ order, source, weights }: ReadFeed): FeedRows {
  return rowsOf(tableOf(source), order, weights);
}

/** Those of a table with at least one row. */
export function feedOver(table: Table, { order, skew }: Pick<FeedSpec, 'order' | 'skew'>): FeedRows {
  return rowsOf(table, order, skew === undefined ? undefined : aliasSlots(weightsOf(table, skew)));
}

function rowsOf(table: Table, order: FeedSpec['order'], weights: AliasSlots | undefined): FeedRows {
  const { columns, count } = table;
  const weighted = weights === undefined ? undefined : new AliasTable(weights);
  const row = (index: number): Row | undefined => {
    if (order === 'unique' && index >= count) return undefined;
    return table.row(index % count);
  };
  const draw = (random: () => number): Row =>
    table.row(weighted?.draw(random) ?? Math.min(count - 1, Math.floor(random() * count)));
  const rowFor = (index: number, random: () => number): Row | undefined =>
    order === 'random' ? draw(random) : row(index);
  return { order, columns, count, row, draw, rowFor };
}

/** Row k (from 1) weighs k^-zipf, times its whale's factor. */
function weightsOf(table: Table, { zipf, whales }: FeedSkew): Float64Array {
  const weights = Float64Array.from({ length: table.count }, (_, index) => (index + 1) ** -zipf);
  const column = whales === undefined ? -1 : table.columns.indexOf(whales.column);
  if (whales === undefined || column < 0) return weights;
  const times = new Map(Object.entries(whales.times));
  for (let index = 0; index < table.count; index++) {
    const factor = times.get(String(table.row(index)[column]));
    if (factor !== undefined) weights[index]! *= factor;
  }
  return weights;
}

const tableOf = (source: ReadFeed['source']): Table =>
  'generate' in source ? generatedTable(source.generate, source.rows) : tableOver(source);

async function readSource(source: Exclude<FeedSpec['source'], { rows: number }>): Promise<ReadTable> {
  const file = nameOf(source);
  const bytes = await bytesOf(file);
  try {
    return 'csv' in source ? readCsv(bytes) : readJsonLines(bytes);
  } catch (thrown) {
    if (!(thrown instanceof TableError)) throw thrown;
    throw unusable(`${file}:${thrown.line}: ${thrown.message}`, 'Mend that line, or leave it out.', thrown);
  }
}

/** The file's bytes, in shared memory. */
async function bytesOf(file: string): Promise<Uint8Array> {
  try {
    await using opened = await open(file);
    const { size } = await opened.stat();
    if (size > FILE_MAX_BYTES) {
      const hint = 'Split it, or give each scenario its own part.';
      throw unusable(`${file} has ${formatCount(size)} bytes; at most ${formatCount(FILE_MAX_BYTES)} are read`, hint);
    }
    const bytes = new Uint8Array(new SharedArrayBuffer(size));
    let at = 0;
    while (at < size) {
      const { bytesRead } = await opened.read(bytes, at, size - at, at);
      if (bytesRead === 0) break;
      at += bytesRead;
    }
    return bytes.subarray(0, at);
  } catch (thrown) {
    if (thrown instanceof HarnessError) throw thrown;
    throw unusable(`${file} cannot be read: ${messageOf(thrown)}`, 'Feeds are named relative to the plan.', thrown);
  }
}

function nameOf(source: FeedSpec['source']): string {
  if ('csv' in source) return source.csv;
  return 'jsonLines' in source ? source.jsonLines : 'the generated feed';
}

function unusable(message: string, hint: string, cause?: unknown): HarnessError {
  return new HarnessError('FEED_UNUSABLE', message, hint, cause);
}
