import type { Scenario } from '../spi/plan.ts';
import { type FeedRows, feedOf, type ReadFeed, readFeed } from './feed.ts';

/** Reads every feed of a scenario. Throws FEED_UNUSABLE for the first that cannot be. */
export async function readFeeds(scenario: Pick<Scenario, 'feeds'>): Promise<Record<string, ReadFeed>> {
  const read = Object.entries(scenario.feeds ?? {}).map(async ([name, spec]) => [name, await readFeed(spec)] as const);
  return Object.fromEntries(await Promise.all(read));
}

/** Their rows by the feed's name; any thread that was sent them may ask. */
export function feedsOf(read: Readonly<Record<string, ReadFeed>>): ReadonlyMap<string, FeedRows> {
  return new Map(Object.entries(read).map(([name, feed]) => [name, feedOf(feed)]));
}
