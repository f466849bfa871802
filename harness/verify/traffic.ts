import { z } from 'zod';
import { lowerBound, upperBound } from '../core/binomial.ts';
import { areaUntil } from '../core/rate-curve.ts';
import { formatCount } from '../core/units.ts';
import { percentage, zodSchema } from '../core/zod-schema.ts';
import type { Check, Finding, Verdict } from '../spi/check.ts';
import type { JournalView, SecondRow } from '../spi/journal.ts';
import type { Scenario } from '../spi/plan.ts';
import { cutShort } from './cut-short.ts';
import { percent } from './phrases.ts';
import { plannedStarts } from './planned.ts';

export type TrafficParams = { of?: string; rate: number; mix: number; conversion: number };

const TOLERANCES = { rate: 0.02, mix: 0.02, conversion: 0.05 };
/** Shares are drawn: what chance alone would do once in a hundred runs is no drift. */
const CONFIDENCE = 0.99;
const EVIDENCE_MAX = 12;

const params = z.strictObject({
  of: z.string().exactOptional().meta({ description: 'the scenario; all without' }),
  rate: percentage().default(TOLERANCES.rate).meta({ description: 'how far sent may lie from declared' }),
  mix: percentage().default(TOLERANCES.mix).meta({ description: 'points that a journey’s share may differ' }),
  conversion: percentage().default(TOLERANCES.conversion).meta({ description: 'points that a conversion may differ' }),
});

/** Does the measured traffic have the rate, the mix and the conversions that the plan declares? */
export const traffic: Check<TrafficParams> = {
  kind: 'traffic',
  summary: 'The traffic had the rate, the mix and the conversion that the plan declares, within tolerances.',
  params: zodSchema<TrafficParams>(params),
  evaluate: (view, asked) =>
    view.timeline.plan.load
      .filter(({ name }) => asked.of === undefined || asked.of === name)
      .flatMap((scenario) => judgeScenario(view, scenario, asked)),
};

/**
 * The same, judged in every run for the scenarios that no `traffic` of the plan names. Advisory: a drift says that the
 * evidence is about other traffic than was asked for. What made it (bad steps, drops, a late generator) is judged by
 * availability and generator already, and would count twice; a plan for which the traffic itself is the promise says so.
 */
export const trafficAside: Check<Record<string, never>> = {
  kind: 'traffic',
  summary: traffic.summary,
  params: zodSchema<Record<string, never>>(z.strictObject({})),
  evaluate: (view) => {
    const asked = view.timeline.checks.filter(({ check }) => check === 'traffic').map(({ params }) => params.of);
    if (asked.includes(undefined)) return [];
    return view.timeline.plan.load
      .filter(({ name }) => !asked.includes(name))
      .flatMap((scenario) => judgeScenario(view, scenario, TOLERANCES))
      .map((finding) => ({ ...finding, advisory: true }));
  },
};

type Tolerances = Pick<TrafficParams, 'rate' | 'mix' | 'conversion'>;

function judgeScenario(view: JournalView, scenario: Scenario, tolerances: Tolerances): Finding[] {
  // A segment has its stripe of everything: only all of them together have what was declared.
  if (view.run.segment !== undefined) return [];
  const rows = view.seconds({ scenario: scenario.name });
  return [
    ...judgeRate(view, scenario, rows, tolerances.rate),
    ...judgeMix(scenario, rows, tolerances.mix),
    ...Object.keys(scenario.journeys).flatMap((journey) =>
      judgeConversion(view, scenario, journey, tolerances.conversion),
    ),
  ];
}

/** Starts that were really sent against those that the schedule has up to where the load was seen. */
function judgeRate(view: JournalView, scenario: Scenario, rows: readonly SecondRow[], tolerance: number): Finding[] {
  const planned = plannedStarts(view, { of: scenario.name });
  if (planned === undefined) return [];
  const seenMs = rows.reduce((most, row) => Math.max(most, row.toMs), 0);
  const declared = cutShort(view) === undefined ? planned : Math.round(areaUntil(scenario.segments, seenMs));
  const sent = sum(rows, (row) => row.sent);
  const ratio = declared === 0 ? 0 : sent / declared;
  const drift = Math.abs(ratio - 1);
  const perSecond = (count: number): string =>
    seenMs === 0 ? '0' : formatCount(Number((count / (seenMs / 1000)).toPrecision(4)));
  const numbers = `${formatCount(sent)} starts were sent and ${formatCount(declared)} declared (${perSecond(sent)}/s and ${perSecond(declared)}/s on average)`;
  const verdict = rows.length === 0 || declared === 0 ? 'unknown' : drift <= tolerance ? 'pass' : 'fail';
  return [
    {
      ...base(`${scenario.name} rate`, rows),
      verdict,
      claim: `the rate is the declared one within ${percent(tolerance)}`,
      measured: { value: ratio, unit: 'ratio' },
      threshold: { value: tolerance, unit: 'ratio' },
      sampleCount: declared,
      because: `${numbers}: ${driftWords(verdict, drift, tolerance, '')}.`,
    },
  ];
}

function judgeMix(scenario: Scenario, rows: readonly SecondRow[], tolerance: number): Finding[] {
  if (scenario.mix.length < 2) return [];
  const total = sum(rows, (row) => row.sent);
  const shares = scenario.mix.map(({ journey, share }) => {
    const sent = sum(rows, (row) => (row.journey === journey ? row.sent : 0));
    return { journey, share, sent, measured: total === 0 ? 0 : sent / total };
  });
  const worst = shares.toSorted((a, b) => Math.abs(b.measured - b.share) - Math.abs(a.measured - a.share))[0]!;
  const drift = Math.abs(worst.measured - worst.share);
  // The mix is dealt, not drawn: of n starts a journey has its share to within one.
  const verdict = total === 0 ? 'unknown' : drift <= tolerance + 1 / total ? 'pass' : 'fail';
  const parts = shares.map(
    ({ journey, share, measured }) => `${journey} ${shown(measured)} (declared ${percent(share)})`,
  );
  return [
    {
      ...base(`${scenario.name} mix`, rows),
      verdict,
      claim: `each journey’s share of the starts is the declared one within ${percent(tolerance)}`,
      measured: { value: worst.measured, unit: 'ratio' },
      threshold: { value: worst.share, unit: 'ratio' },
      sampleCount: total,
      because: `Of ${formatCount(total)} starts sent: ${parts.join(', ')}; ${driftWords(verdict, drift, tolerance, ' points')}.`,
    },
  ];
}

interface StepShare {
  name: string;
  declared: number;
  measured: number;
  from: number;
  to: number;
  verdict: Verdict;
}

/** Of those who were sent one step, how many were sent the next; bad steps take users away that no declaration did. */
function judgeConversion(view: JournalView, scenario: Scenario, journey: string, tolerance: number): Finding[] {
  const steps = scenario.journeys[journey] ?? [];
  const rows = steps.map(({ name }) => view.seconds({ scenario: scenario.name, journey, step: name }));
  if (steps.length < 2 || rows.some((ofStep) => ofStep.length === 0)) return [];
  const sent = rows.map((ofStep) => sum(ofStep, (row) => row.sent));
  const shares = steps.slice(1).map((step, index): StepShare => {
    const [from, to] = [sent[index]!, Math.min(sent[index]!, sent[index + 1]!)];
    const measured = from === 0 ? 0 : to / from;
    const share = { name: step.name, declared: step.conversion, measured, from, to };
    return { ...share, verdict: judgeShare(share, tolerance) };
  });
  const worst = shares.toSorted((a, b) => Math.abs(b.measured - b.declared) - Math.abs(a.measured - a.declared))[0]!;
  const verdict = (['fail', 'unknown', 'pass'] as const).find((one) => shares.some((share) => share.verdict === one))!;
  const parts = shares.map(
    ({ name, declared, measured, from, to }) =>
      `${name} ${shown(measured)} (${formatCount(to)} of ${formatCount(from)}; declared ${percent(declared)})`,
  );
  const drift = Math.abs(worst.measured - worst.declared);
  return [
    {
      ...base(`${scenario.name}/${journey} conversion`, rows.flat()),
      verdict,
      claim: `the journey goes from step to step as declared, within ${percent(tolerance)}`,
      measured: { value: worst.measured, unit: 'ratio' },
      threshold: { value: worst.declared, unit: 'ratio' },
      sampleCount: worst.from,
      because: `${parts.join(', ')}; ${driftWords(verdict, drift, tolerance, ' points')}.`,
    },
  ];
}

/** A drift beyond the tolerance that chance cannot explain fails; one that it can is unknown. */
function judgeShare({ declared, measured, from, to }: Omit<StepShare, 'verdict'>, tolerance: number): Verdict {
  if (from === 0) return 'unknown';
  if (Math.abs(measured - declared) <= tolerance) return 'pass';
  const [low, high] = [lowerBound(to, from, CONFIDENCE), upperBound(to, from, CONFIDENCE)];
  return low > declared + tolerance || high < declared - tolerance ? 'fail' : 'unknown';
}

function driftWords(verdict: Verdict, drift: number, tolerance: number, unit: string): string {
  const amount = `${shown(drift)}${unit}`;
  if (verdict === 'pass') return `the drift of ${amount} is within ${percent(tolerance)}`;
  if (verdict === 'fail') return `the drift of ${amount} is beyond ${percent(tolerance)}`;
  return `the drift of ${amount} is more than ${percent(tolerance)}, and too few were counted to tell it from chance`;
}

function base(
  scope: string,
  rows: readonly SecondRow[],
): Pick<Finding, 'check' | 'scope' | 'basis' | 'evidence' | 'advisory'> {
  const shownRows = rows.filter((_row, index) => index === 0 || index === rows.length - 1);
  const evidence = shownRows.flatMap((row) => row.evidence).slice(0, EVIDENCE_MAX);
  return { check: 'traffic', scope, basis: 'requests', evidence, advisory: false };
}

function sum(rows: readonly SecondRow[], pick: (row: SecondRow) => number): number {
  return rows.reduce((total, row) => total + pick(row), 0);
}

const shown = (ratio: number): string => percent(Number(ratio.toFixed(4)));
