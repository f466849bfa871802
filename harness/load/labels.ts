/** Most (journey) and (journey, step) pairs that get rows of their own. */
const LABELS_MAX = 16;
/** Name under which the rest is counted. */
export const OTHER = 'other';

/** What a row is about: a journey, or one step of it. */
export interface Label {
  journey: string;
  step?: string;
}

/** The labels of one journey of a mix, as indices into the scenario's list of labels. */
export interface JourneyLabels {
  journey: number;
  steps: number[];
}

/**
 * Which journeys and steps have rows of their own: journeys first, in the order of the mix, then steps. The same
 * journeys give the same list in every thread and process.
 */
export function labelsOf(journeys: readonly { name: string; steps: readonly { name: string }[] }[]): {
  labels: Label[];
  of: JourneyLabels[];
} {
  const wanted = journeys.length + journeys.reduce((sum, journey) => sum + journey.steps.length, 0);
  // Two of the labels are those of the rest.
  let free = wanted <= LABELS_MAX ? LABELS_MAX : LABELS_MAX - 2;
  const labels: Label[] = [];
  let others: { journey: number; step: number } | undefined;
  const rest = (): { journey: number; step: number } => {
    others ??= { journey: labels.push({ journey: OTHER }) - 1, step: labels.push({ journey: OTHER, step: OTHER }) - 1 };
    return others;
  };
  const own = journeys.map(({ name }) => (free-- > 0 ? labels.push({ journey: name }) - 1 : rest().journey));
  const of = journeys.map(({ name, steps }, index) => ({
    journey: own[index]!,
    steps: steps.map((step) => (free-- > 0 ? labels.push({ journey: name, step: step.name }) - 1 : rest().step)),
  }));
  return { labels, of };
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
