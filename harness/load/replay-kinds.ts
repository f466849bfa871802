import { KINDS_MAX } from './labels.ts';
import { kindOf } from './path-template.ts';
import type { Recorded } from './recording/recorded.ts';

/** Kinds that are told apart while they are counted; a recording with more has no kinds worth the name. */
const TOLD_APART_MAX = 20_000;
/** So many of a recording's first requests tell what is common in it: the load must not wait for all of a large one. */
const LOOKED_AT_MAX = 200_000;

/** The commonest kinds of request, commonest first; ties in the order of their names. */
export async function commonestKinds(records: AsyncIterable<Recorded>): Promise<string[]> {
  const counts = new Map<string, number>();
  let seen = 0;
  for await (const { method, path } of records) {
    const kind = kindOf(method, path);
    const count = counts.get(kind);
    if (count !== undefined) counts.set(kind, count + 1);
    else if (counts.size < TOLD_APART_MAX) counts.set(kind, 1);
    if (++seen === LOOKED_AT_MAX) break;
  }
  return [...counts]
    .sort(([a, left], [b, right]) => right - left || (a < b ? -1 : 1))
    .slice(0, KINDS_MAX)
    .map(([kind]) => kind);
}
