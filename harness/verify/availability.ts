import { z } from 'zod';
import { samplesNeeded } from '../core/binomial.ts';
import { formatCount } from '../core/units.ts';
import { percentage, zodSchema } from '../core/zod-schema.ts';
import type { Check, Finding, Verdict } from '../spi/check.ts';
import type { JournalView, SecondRow } from '../spi/journal.ts';
import { judgeWindows } from './availability-windows.ts';
import { cutShort } from './cut-short.ts';
import { faultsIncluded, percent, percentDown, percentUp, scopeOf } from './phrases.ts';
import { partOf, plannedStarts } from './planned.ts';
import { judgeProportion, type Proportion, proportion, whatWouldSettle } from './proportion.ts';
import { waysDoubt } from './regions.ts';
import { type Tally, tally, tallySeconds } from './tally.ts';
import { inPart, underFault, type When, whenParam } from './when.ts';
import { overParam } from './windowed.ts';

export type AvailabilityParams = {
  of: string;
  journey?: string;
  region?: string;
  target: number;
  confidence: number;
  when: When;
  /** In each window of so many ms, instead of over the whole. */
  over?: number;
};

const between = (value: number): boolean => value > 0 && value < 1;
const params = z.strictObject({
  of: z.string().meta({ description: 'the scenario' }),
  journey: z.string().exactOptional().meta({ description: 'one journey of it; all without' }),
  region: z.string().exactOptional().meta({ description: 'users in one of its regions; all without' }),
  target: percentage().refine(between, 'a target lies between 0% and 100%: no sample proves either'),
  confidence: percentage().refine(between, 'a confidence lies between 0% and 100%').default(0.95),
  when: whenParam(),
  over: overParam(),
});

/** The share of good journeys against a target, by exact one-sided bounds. */
export const availability: Check<AvailabilityParams> = {
  kind: 'availability',
  summary: 'At least `target` of the journeys of a scenario are good, proved at `confidence`.',
  params: zodSchema<AvailabilityParams>(params),
  // Windows are counted, not sampled: any number of them can pass.
  sampleNeeded: ({ target, confidence, over }) =>
    over === undefined ? samplesNeeded(target, 0, confidence) : undefined,
  sampleOf: partOf,
  evaluate(view, asked) {
    const all = view.seconds(partOf(asked));
    if (asked.over !== undefined) return [judgeWindows(view, { ...asked, over: asked.over }, all)];
    const rows = inPart(view, all, asked.when);
    const main = judgeMain(view, asked, rows);
    if (asked.when !== 'all' || rows.length === 0) return [main];
    return [main, ...splits(view, asked, rows)];
  },
};

function judgeMain(view: JournalView, asked: AvailabilityParams, rows: readonly SecondRow[]): Finding {
  const counts = tally(rows);
  const share = proportion(counts.good, counts.good + counts.bad, asked.confidence);
  const verdict = judgeProportion(share, asked.target);
  const slowWays = verdict === 'fail' ? waysDoubt(view, asked.of) : undefined;
  const doubt = lateDoubt(asked, counts, verdict) ?? slowWays ?? cutDoubt(view, asked, counts, verdict);
  const part = asked.when === 'all' ? '' : ` (${asked.when})`;
  return {
    ...findingOf(asked, `${scopeOf(asked)}${part}`, share, counts.evidence),
    verdict: doubt === undefined ? verdict : 'unknown',
    because: [sentence(view, asked, share), asides(counts), doubt].filter(Boolean).join(' '),
    advisory: false,
  };
}

function findingOf(
  asked: AvailabilityParams,
  scope: string,
  share: Proportion,
  evidence: number[],
): Omit<Finding, 'verdict' | 'because' | 'advisory'> {
  return {
    check: 'availability',
    scope,
    basis: 'requests',
    claim: `at least ${percent(asked.target)} of journeys are good (at ${percent(asked.confidence)})`,
    measured: { value: share.ratio, unit: 'ratio', low: share.low, high: share.high },
    threshold: { value: asked.target, unit: 'ratio' },
    sampleCount: share.total,
    evidence,
  };
}

function sentence(view: JournalView, asked: AvailabilityParams, share: Proportion): string {
  const { good, total, low, high } = share;
  const target = percent(asked.target);
  const at = `at ${percent(asked.confidence)}`;
  if (total === 0) return `No journey of ${scopeOf(asked)} was counted${partWords(asked.when)}: no evidence.`;
  const faults = asked.when === 'calm' ? undefined : faultsIncluded(view);
  const included = faults === undefined ? '' : `, ${faults} included`;
  const counted = `${formatCount(good)} of ${formatCount(total)} good in this run${partWords(asked.when)}${included}`;
  switch (judgeProportion(share, asked.target)) {
    case 'pass':
      return `${counted}: ${at} at least ${percentDown(low)} for requests like these (asked: ${target}).${oneTrial(view, asked)}`;
    case 'fail':
      return `${counted}: ${at} at most ${percentUp(high)}, below the ${target} asked.`;
    case 'unknown':
      return `${counted}: ${at} between ${percentDown(low)} and ${percentUp(high)}, which settles nothing about ${target}; ${whatWouldSettle(share, asked.target, asked.confidence)}.`;
  }
}

function oneTrial(view: JournalView, asked: AvailabilityParams): string {
  const faults = asked.when === 'calm' ? undefined : faultsIncluded(view);
  return faults === undefined ? '' : ' One trial of a fault says little about the next one; only more trials can tell.';
}

function partWords(when: When): string {
  if (when === 'all') return '';
  return when === 'faults' ? ' under faults' : when === 'calm' ? ' in calm' : ' in recovery';
}

function asides({ excluded, droppedCap, droppedLate }: Tally): string {
  const parts = [
    droppedCap > 0 ? `${formatCount(droppedCap)} starts found the in-flight cap full and count as bad` : '',
    droppedLate > 0 ? `${formatCount(droppedLate)} starts were never sent because the generator was late` : '',
    excluded > 0 ? `${formatCount(excluded)} shed answers are excluded, as the plan says` : '',
  ].filter(Boolean);
  return parts.length === 0 ? '' : `${parts.join('; ')}.`;
}

/** Starts that the generator was too late for: judged again as if they were bad. */
function lateDoubt(asked: AvailabilityParams, counts: Tally, verdict: Verdict): string | undefined {
  if (counts.droppedLate === 0) return undefined;
  const total = counts.good + counts.bad + counts.droppedLate;
  const worse = judgeProportion(proportion(counts.good, total, asked.confidence), asked.target);
  if (worse === verdict) return undefined;
  return `With those starts bad the verdict would be ${worse}, so it is unknown.`;
}

/** A run that ended early settles only what the missing rest could not have changed: a fail even if all of it were good. */
function cutDoubt(view: JournalView, asked: AvailabilityParams, counts: Tally, verdict: Verdict): string | undefined {
  const cut = cutShort(view);
  if (cut === undefined || verdict === 'unknown') return undefined;
  const planned = plannedStarts(view, asked);
  if (planned === undefined) return `But the run was cut short (${cut.why}), so it is unknown.`;
  const best = proportion(
    Math.max(counts.good, planned - counts.bad),
    Math.max(planned, counts.good + counts.bad),
    asked.confidence,
  );
  if (verdict === 'fail' && judgeProportion(best, asked.target) === 'fail') return undefined;
  return `But the run was cut short (${cut.why}), so it is unknown.`;
}

/** Shown beside the judged one: by second, in calm, and under each fault. */
function splits(view: JournalView, asked: AvailabilityParams, rows: readonly SecondRow[]): Finding[] {
  const scope = scopeOf(asked);
  const parts = [
    { name: 'in calm', rows: inPart(view, rows, 'calm') },
    ...view.faults
      .filter((fault) => fault.commandedMs !== undefined)
      .map((fault) => ({ name: `under ${fault.name}`, rows: underFault(rows, fault) })),
  ];
  const byPart = parts
    .map((part) => ({ ...part, counts: tally(part.rows) }))
    .filter(({ counts }) => view.faults.length > 0 && counts.good + counts.bad > 0)
    .map(({ name, counts }) =>
      splitFinding(
        asked,
        `${scope}, ${name}`,
        proportion(counts.good, counts.good + counts.bad, asked.confidence),
        counts.evidence,
        'requests',
      ),
    );
  const seconds = tallySeconds(rows);
  const bySecond = splitFinding(
    asked,
    `${scope}, by second`,
    proportion(seconds.good, seconds.total, asked.confidence),
    tally(rows).evidence,
    'seconds',
  );
  return [...byPart, bySecond];
}

function splitFinding(
  asked: AvailabilityParams,
  scope: string,
  share: Proportion,
  evidence: number[],
  basis: 'requests' | 'seconds',
): Finding {
  const what = basis === 'seconds' ? 'seconds with every journey good' : 'journeys good';
  const bounds = `at ${percent(asked.confidence)} between ${percentDown(share.low)} and ${percentUp(share.high)}`;
  return {
    ...findingOf(asked, scope, share, evidence),
    basis,
    claim: basis === 'seconds' ? 'share of seconds in which every journey was good' : 'share of good journeys',
    verdict: judgeProportion(share, asked.target),
    because: `${formatCount(share.good)} of ${formatCount(share.total)} ${what}: ${bounds}.`,
    advisory: true,
  };
}
