import type { Scenario } from '../spi/plan.ts';
import { type FeedRows, openFeed } from './feed.ts';

/** Opens every feed of a scenario. Throws FEED_UNUSABLE for the first that cannot be. */
export async function openFeeds(scenario: Pick<Scenario, 'feeds'>): Promise<ReadonlyMap<string, FeedRows>> {
  const opened = Object.entries(scenario.feeds ?? {}).map(
    async ([name, spec]) => [name, await openFeed(spec)] as const,
  );
  return new Map(await Promise.all(opened));
}
