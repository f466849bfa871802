/** Most (journey) and (journey, step) pairs that get rows of their own. */
const LABELS_MAX = 16;
/** Name under which the rest is counted. */
export const OTHER = 'other';

/** What a row is about: a journey, or one step of it. */
export interface Label {
  journey: string;
  step?: string;
  /** Of a scenario with regions: where the journey's users are; steps are not told apart by it. */
  region?: string;
}

/** The labels of one journey of a mix, or of one journey of users in one region, as indices into the scenario's list of labels. */
export interface JourneyLabels {
  journey: number;
  steps: number[];
}

/**
 * Which journeys and steps have rows of their own: journeys first, in the order of the mix (with regions all of the first
 * region, then all of the next), then steps. The same journeys give the same list in every thread and process.
 */
export function labelsOf(
  journeys: readonly { name: string; steps: readonly { name: string }[] }[],
  regions: readonly string[] = [],
): { labels: Label[]; of: JourneyLabels[] } {
  const lanes = lanesOf(journeys, regions);
  const wanted = lanes.length + journeys.reduce((sum, journey) => sum + journey.steps.length, 0);
  // Two of the labels are those of the rest.
  let free = wanted <= LABELS_MAX ? LABELS_MAX : LABELS_MAX - 2;
  const labels: Label[] = [];
  let others: { journey: number; step: number } | undefined;
  const rest = (): { journey: number; step: number } => {
    others ??= { journey: labels.push({ journey: OTHER }) - 1, step: labels.push({ journey: OTHER, step: OTHER }) - 1 };
    return others;
  };
  const own = lanes.map((label) => (free-- > 0 ? labels.push(label) - 1 : rest().journey));
  const steps = journeys.map((journey) =>
    journey.steps.map(({ name: step }) =>
      free-- > 0 ? labels.push({ journey: journey.name, step }) - 1 : rest().step,
    ),
  );
  return { labels, of: own.map((label, lane) => ({ journey: label, steps: steps[lane % journeys.length]! })) };
}

function lanesOf(journeys: readonly { name: string }[], regions: readonly string[]): Label[] {
  const plain = journeys.map(({ name }): Label => ({ journey: name }));
  return regions.length === 0 ? plain : regions.flatMap((region) => plain.map((label) => ({ ...label, region })));
}

/** What requests of a replay are counted as: one journey, whose steps are the commonest kinds of request. */
export const REPLAY_JOURNEY = 'replay';
/** Kinds that can be counted for themselves, beside the journey and the rest. */
export const KINDS_MAX = LABELS_MAX - 2;

/** The labels of a replay: the journey, then its kinds in this order, then the rest. */
export function replayLabels(kinds: readonly string[]): Label[] {
  const steps = [...kinds, OTHER].map((step) => ({ journey: REPLAY_JOURNEY, step }));
  return [{ journey: REPLAY_JOURNEY }, ...steps];
}
