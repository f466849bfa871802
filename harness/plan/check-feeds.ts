import { resolve } from 'node:path';
import { messageOf } from '../core/errors.ts';
import { csvTable, generatedTable, jsonLinesTable, type Table, TableError } from '../core/table.ts';
import { formatCount } from '../core/units.ts';
import type { FeedSpec, Scenario } from '../spi/plan.ts';
import type { JourneyStep } from '../spi/stack.ts';
import type { PlanFiles } from './check-rate.ts';
import { contentsOf } from './digest.ts';
import type { Path } from './document.ts';
import { bytesOf, suggest } from './load.ts';
import type { RawFeed } from './load-schema.ts';
import type { IssueBook } from './parts.ts';
import { numberedStarts } from './starts.ts';

/** In larger feeds whales are not looked for: it would take as long as the load. */
const SEARCHED_ROWS = 2_000_000;

/** A feed that was read, and what the plan makes of it. */
export interface CheckedFeed {
  spec: FeedSpec;
  columns: readonly string[];
  rows: number;
}

/** Reads the feeds of one scenario, all rows of them: a bad one is known before anything starts. */
export function checkFeeds(
  feeds: Readonly<Record<string, RawFeed>>,
  path: Path,
  files: PlanFiles,
  book: IssueBook,
): Map<string, CheckedFeed> {
  const checked = new Map<string, CheckedFeed>();
  for (const [name, raw] of Object.entries(feeds)) {
    const feed = checkFeed(raw, [...path, 'feeds', name], files, book);
    if (feed !== undefined) checked.set(name, feed);
  }
  return checked;
}

function checkFeed(raw: RawFeed, path: Path, files: PlanFiles, book: IssueBook): CheckedFeed | undefined {
  const before = book.issues.length;
  const sources = (['csv', 'jsonLines', 'generate'] as const).filter((key) => raw[key] !== undefined);
  const source = sources[0];
  if (sources.length !== 1 || source === undefined) {
    const message = sources.length === 0 ? 'a feed says where its rows come from' : 'a feed has one source';
    book.add(path, 'VALUE', message, { expected: 'one of csv, jsonLines, generate', at: 'key' });
    return undefined;
  }
  if (source === 'generate' && raw.rows === undefined) {
    book.add([...path, 'rows'], 'VALUE', 'a generated feed says how many `rows` it has');
  } else if (source !== 'generate' && raw.rows !== undefined) {
    book.add([...path, 'rows'], 'VALUE', '`rows` belongs to `generate`: a file has as many as it has', { at: 'key' });
  }
  const order = raw.order ?? (raw.skew === undefined ? 'circular' : 'random');
  if (raw.skew !== undefined && order !== 'random') {
    book.add([...path, 'skew'], 'VALUE', `only a random order can be skewed, and this one is ${order}`, { at: 'key' });
  }
  if (book.issues.length > before) return undefined;
  const read = readFeed(raw, source, path, files, book);
  if (read === undefined) return undefined;
  if (read.table.count === 0) book.add([...path, source], 'VALUE', 'this feed has no rows');
  checkWhales(raw, read.table, path, book);
  if (book.issues.length > before) return undefined;
  const skew = raw.skew === undefined ? undefined : { zipf: raw.skew.zipf, whales: raw.skew.whales };
  const contents = read.contents === undefined ? {} : { contents: read.contents };
  return {
    spec: { source: read.source, order, skew, ...contents },
    columns: read.table.columns,
    rows: read.table.count,
  };
}

function readFeed(
  raw: RawFeed,
  source: 'csv' | 'jsonLines' | 'generate',
  path: Path,
  { folder, world }: PlanFiles,
  book: IssueBook,
): { table: Table; source: FeedSpec['source']; contents?: string } | undefined {
  if (source === 'generate') {
    const [generate, rows] = [raw.generate!, raw.rows!];
    return { table: generatedTable(generate, rows), source: { generate, rows } };
  }
  const named = raw[source]!;
  const file = resolve(folder, named);
  if (!world.exists(file)) {
    book.add([...path, source], 'FILE_UNREADABLE', `there is no file ${named}`);
    return undefined;
  }
  try {
    const bytes = bytesOf(world, file);
    const contents = contentsOf(bytes);
    return source === 'csv'
      ? { table: csvTable(bytes), source: { csv: file }, contents }
      : { table: jsonLinesTable(bytes), source: { jsonLines: file }, contents };
  } catch (thrown) {
    const message = thrown instanceof TableError ? `line ${thrown.line}: ${thrown.message}` : messageOf(thrown);
    book.add([...path, source], 'FILE_UNREADABLE', `${named}: ${message}`);
    return undefined;
  }
}

/** A whale that is in no row would silently be no whale. */
function checkWhales(raw: RawFeed, table: Table, path: Path, book: IssueBook): void {
  const whales = raw.skew?.whales;
  if (whales === undefined) return;
  const column = table.columns.indexOf(whales.column);
  const at = [...path, 'skew', 'whales'];
  if (column < 0) {
    const message = `the feed has no column "${whales.column}"`;
    book.add([...at, 'column'], 'REFERENCE_UNKNOWN', message, suggest(whales.column, table.columns));
    return;
  }
  if (table.count > SEARCHED_ROWS) return;
  const missing = new Set(Object.keys(whales.times));
  for (let index = 0; index < table.count && missing.size > 0; index++) {
    missing.delete(String(table.row(index)[column]));
  }
  for (const value of missing) {
    const message = `no row has ${whales.column} "${value}"`;
    book.add([...at, 'times', value], 'REFERENCE_UNKNOWN', message, { at: 'key' });
  }
}

const FEED_COLUMN = /\{([A-Za-z_]\w*)\.([\w-]+)\}/g;

/** Every `{feed.column}` of the journeys that the scenario mixes has a feed and a column of it. */
export function checkFeedNames(
  journeys: Readonly<Record<string, readonly JourneyStep[]>>,
  declared: readonly string[],
  feeds: ReadonlyMap<string, CheckedFeed>,
  path: Path,
  book: IssueBook,
): void {
  for (const [journey, steps] of Object.entries(journeys)) {
    for (const [feed, column] of feedColumnsOf(steps)) {
      const at = [...path, 'mix', journey];
      const rows = feeds.get(feed);
      if (!declared.includes(feed)) {
        const message = `${journey} asks for {${feed}.${column}}, and this scenario has no feed "${feed}"`;
        book.add(at, 'REFERENCE_UNKNOWN', message, { at: 'key', ...suggest(feed, declared) });
      } else if (rows !== undefined && !rows.columns.includes(column)) {
        const message = `${journey} asks for {${feed}.${column}}, and the feed has no such column`;
        book.add(at, 'REFERENCE_UNKNOWN', message, { at: 'key', ...suggest(column, rows.columns) });
      }
    }
  }
}

function feedColumnsOf(steps: readonly JourneyStep[]): [string, string][] {
  const text = JSON.stringify(steps.map(({ path, headers, body, ack }) => [path, headers, body ?? null, ack ?? null]));
  const found = new Map([...text.matchAll(FEED_COLUMN)].map(([whole, feed, column]) => [whole, [feed!, column!]]));
  return [...found.values()] as [string, string][];
}

/** A `unique` feed has a row for every start; each start has its own number, so they share none. */
export function checkFeedLengths(
  scenario: Scenario,
  feeds: ReadonlyMap<string, CheckedFeed>,
  steadyMs: number,
  path: Path,
  book: IssueBook,
): void {
  const starts = numberedStarts(scenario, steadyMs);
  if (starts === undefined) return;
  const needed = starts.canary + starts.warmUp + starts.load;
  for (const [name, { spec, rows }] of feeds) {
    if (spec.order !== 'unique' || rows >= needed) continue;
    const about = scenario.executor === 'poisson' ? 'up to ' : '';
    const parts = `${formatCount(starts.canary)} of the preflight, ${formatCount(starts.warmUp)} before t = 0, ${formatCount(starts.load)} after`;
    const message = `the feed ${name} has ${formatCount(rows)} rows, and ${about}${formatCount(needed)} starts need one each (${parts})`;
    const hint = '`order: circular` begins again at the first row';
    book.add([...path, 'feeds', name], 'FEED_TOO_SHORT', message, { hint, at: 'key' });
  }
}
