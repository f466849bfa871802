import type { z } from 'zod';
import type { Json, JsonObject } from '../spi/json.ts';
import type { Path } from './document.ts';
import {
  FLAP_MIN_MS,
  faultSchema,
  GROUP_DEPTH_MAX,
  lanesSchema,
  type RawFault,
  type RawGroup,
  stepsSchema,
  waitSchema,
} from './fault-schema.ts';
import { isObject } from './load.ts';
import type { IssueBook } from './parts.ts';
import { planShape } from './schema.ts';
import { NAME } from './zod-pieces.ts';

/** The `faults` of a plan as they are written: a tree of faults, waits and groups, each with its place. */
export type FaultItem = WrittenFault | WrittenGroup | { is: 'wait'; waitMs: number };
export interface WrittenFault {
  is: 'fault';
  path: Path;
  raw: RawFault;
}
export interface WrittenGroup {
  is: 'group';
  path: Path;
  raw: RawGroup;
  /** Side by side; a group of `steps` is one lane. */
  lanes: FaultItem[][];
}

/**
 * Parses every item on its own, so that one mistake hides no other. `items` are those that are right as they stand in
 * time; `faults` are all whose keys could be read, in the order of writing.
 */
export function parseFaultItems(
  written: Json | undefined,
  book: IssueBook,
): { items: FaultItem[]; faults: WrittenFault[] } {
  if (written !== undefined && !Array.isArray(written)) book.parse(planShape.faults, written, ['faults']);
  const parsing = { book, faults: [] };
  const list = Array.isArray(written) ? written : [];
  const items = list.flatMap((item, index) => parseItem(item, ['faults', index], 0, parsing));
  return { items, faults: parsing.faults };
}

interface Parsing {
  book: IssueBook;
  faults: WrittenFault[];
}

/** Every fault of the tree, in the order of writing. */
export function writtenFaults(items: readonly FaultItem[]): WrittenFault[] {
  return items.flatMap((item) => {
    if (item.is === 'group') return writtenFaults(item.lanes.flat());
    return item.is === 'fault' ? [item] : [];
  });
}

function parseItem(item: Json, path: Path, depth: number, parsing: Parsing): FaultItem[] {
  const { book } = parsing;
  const inLane = depth > 0;
  if (isObject(item) && ('lanes' in item || 'steps' in item)) return parseGroup(item, path, depth, parsing);
  if (isObject(item) && 'wait' in item && !('inject' in item)) {
    if (!inLane) book.add([...path, 'wait'], 'VALUE', 'a wait stands between the steps of a lane', { at: 'key' });
    const parsed = book.parse(waitSchema, item, path);
    return parsed === undefined ? [] : [{ is: 'wait', waitMs: parsed.wait }];
  }
  const timed = checkTurn(item, path, inLane, book);
  const raw = book.parse(faultSchema, item, path);
  if (raw === undefined) return [];
  const right = [checkFlap(raw, path, book), checkEvery(raw, raw.for, path, book)].every(Boolean);
  const fault: WrittenFault = { is: 'fault', path, raw };
  parsing.faults.push(fault);
  return timed && right ? [fault] : [];
}

function parseGroup(item: JsonObject, path: Path, depth: number, parsing: Parsing): FaultItem[] {
  const { book } = parsing;
  if (depth >= GROUP_DEPTH_MAX) {
    book.add(path, 'LIMIT', `groups are nested deeper than ${GROUP_DEPTH_MAX} levels`);
    return [];
  }
  const timed = checkTurn(item, path, depth > 0, book);
  const laned = 'lanes' in item;
  const raw = book.parse<RawGroup>((laned ? lanesSchema : stepsSchema) as z.ZodType<RawGroup>, item, path);
  if (laned && isObject(item.lanes)) checkLaneNames(item.lanes, path, book);
  const lists: [Path, Json | undefined][] = laned
    ? Object.entries(isObject(item.lanes) ? item.lanes : {}).map(([lane, list]) => [[...path, 'lanes', lane], list])
    : [[[...path, 'steps'], item.steps]];
  const lanes = lists.map(([at, list]) =>
    Array.isArray(list) ? list.flatMap((step, index) => parseItem(step, [...at, index], depth + 1, parsing)) : [],
  );
  return raw === undefined || !timed ? [] : [{ is: 'group', path, raw, lanes }];
}

function checkLaneNames(lanes: JsonObject, path: Path, book: IssueBook): void {
  for (const lane of Object.keys(lanes)) {
    if (NAME.test(lane)) continue;
    const expected = 'a name: lower-case letters, digits and dashes';
    book.add([...path, 'lanes', lane], 'VALUE', `"${lane}" is not a name`, { expected, at: 'key' });
  }
}

/** What is in no lane says when it begins, by one of two keys; what is in a lane begins when it comes to it. */
function checkTurn(item: Json, path: Path, inLane: boolean, book: IssueBook): boolean {
  if (!isObject(item)) return true;
  if (inLane && 'at' in item) {
    const hint = 'put `- wait: 5s` before it, or `at` on the group';
    book.add([...path, 'at'], 'VALUE', 'in a lane, each begins when the one before it is over', { hint, at: 'key' });
    return false;
  }
  if (inLane) return true;
  if ('at' in item && 'after' in item) {
    book.add([...path, 'after'], 'VALUE', '`at` and `after` both say when', { expected: 'one of them', at: 'key' });
    return false;
  }
  if ('at' in item || 'after' in item) return true;
  const expected = 'a duration with its unit (ms, s, m, h), or `after`';
  book.add([...path, 'at'], 'VALUE', '"at" is missing', { expected });
  return false;
}

function checkFlap({ flap, for: forMs }: RawFault, path: Path, book: IssueBook): boolean {
  if (flap === undefined) return true;
  const short = (['on', 'off'] as const).filter((key) => flap[key] < FLAP_MIN_MS);
  for (const key of short) {
    const message = 'this is too short: each turn is proved to bite, and then to be gone';
    book.add([...path, 'flap', key], 'VALUE', message, { expected: 'at least 1s' });
  }
  if (short.length > 0) return false;
  if (flapTurns(forMs, flap) >= 2) return true;
  const message = `${forMs / 1000}s have no room for two turns of ${flap.on / 1000}s with ${flap.off / 1000}s between`;
  book.add([...path, 'flap'], 'VALUE', message, { hint: 'make `for` longer, or `on` and `off` shorter' });
  return false;
}

/** Whole turns only: a rest that is shorter than `on` stays off. */
export function flapTurns(forMs: number, { on, off }: { on: number; off: number }): number {
  return Math.floor((forMs + off) / (on + off));
}

/** Also asked of groups, once it is known how long they last. */
export function checkEvery(
  { repeat }: Pick<RawGroup, 'repeat'>,
  lastsMs: number,
  path: Path,
  book: IssueBook,
): boolean {
  if (repeat === undefined || repeat.every >= lastsMs) return true;
  const message = `it lasts ${lastsMs / 1000}s and would begin again after ${repeat.every / 1000}s`;
  book.add([...path, 'repeat', 'every'], 'VALUE', message, { expected: `at least ${lastsMs / 1000}s` });
  return false;
}
