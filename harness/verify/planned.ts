import type { JournalView } from '../spi/journal.ts';

/** Journey starts from t = 0 that the timeline promised; undefined where nobody could know before the run. */
export function plannedStarts(
  view: JournalView,
  params: { of: string; journey?: string; region?: string },
): number | undefined {
  const scenario = view.timeline.scenarios.find(({ name }) => name === params.of);
  // Of a region they are known to within one a journey: too little to build a verdict on.
  if (scenario?.startsByJourney === undefined || params.region !== undefined) return undefined;
  return params.journey === undefined ? scenario.starts : (scenario.startsByJourney[params.journey] ?? 0);
}

/** Which of the journeys a check looks at. */
export function partOf({ of, journey, region }: { of: string; journey?: string; region?: string }): {
  scenario: string;
  journey?: string;
  region?: string;
} {
  return { scenario: of, ...(journey === undefined ? {} : { journey }), ...(region === undefined ? {} : { region }) };
}
