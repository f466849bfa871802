import type { JournalView } from '../spi/journal.ts';

/** Journey starts from t = 0 that the timeline promised; undefined where nobody could know before the run. */
export function plannedStarts(view: JournalView, params: { of: string; journey?: string }): number | undefined {
  const scenario = view.timeline.scenarios.find(({ name }) => name === params.of);
  if (scenario?.startsByJourney === undefined) return undefined;
  return params.journey === undefined ? scenario.starts : (scenario.startsByJourney[params.journey] ?? 0);
}
