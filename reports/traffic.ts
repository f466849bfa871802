import type { JournalView } from '../harness/spi/journal.ts';
import type { Scenario } from '../harness/spi/plan.ts';
import type { ReportTotals, ReportTraffic } from '../harness/spi/reporter.ts';

/**
 * What the plan declares of its traffic beside what was sent: rate, mix, and from step to step of each journey. Shown;
 * judged by the check `traffic`. Times run from t = 0 to the last second with load in it.
 */
export function trafficOf(view: JournalView, totals: readonly ReportTotals[]): ReportTraffic[] {
  // A segment has its stripe of everything, which compares with nothing that was declared.
  if (view.run.segment !== undefined) return [];
  return view.timeline.plan.load.flatMap((scenario) => {
    const own = totals.filter((total) => total.scenario === scenario.name);
    const journeys = own.filter(({ step, region }) => step === undefined && region === undefined);
    const sent = journeys.reduce((sum, total) => sum + total.sent, 0);
    if (sent === 0) return [];
    const starts = view.timeline.scenarios.find(({ name }) => name === scenario.name)?.starts;
    const seenMs = view.seconds({ scenario: scenario.name }).reduce((most, row) => Math.max(most, row.toMs), 0);
    const plannedMs = scenario.segments.reduce((sum, { durationMs }) => sum + durationMs, 0);
    const rate: ReportTraffic = {
      scenario: scenario.name,
      what: 'rate',
      declared: starts === undefined || plannedMs === 0 ? undefined : starts / (plannedMs / 1000),
      measured: sent / (Math.min(seenMs, plannedMs || seenMs) / 1000),
      unit: 'per second',
    };
    const mix = scenario.mix.map(({ journey, share }): ReportTraffic => {
      const ofJourney = journeys.find((total) => total.journey === journey)?.sent ?? 0;
      return {
        scenario: scenario.name,
        what: `share of ${journey}`,
        declared: share,
        measured: ofJourney / sent,
        unit: 'ratio',
      };
    });
    const steps = scenario.mix.flatMap(({ journey }) =>
      conversions(scenario.name, journey, scenario.journeys[journey] ?? [], own),
    );
    return [rate, ...(mix.length > 1 ? mix : []), ...regionsOf(view, scenario, own, sent), ...steps];
  });
}

/** Of each region its share of the starts, and how far away it was measured to be. */
function regionsOf(
  view: JournalView,
  { name: scenario, regions = [] }: Scenario,
  totals: readonly ReportTotals[],
  sent: number,
): ReportTraffic[] {
  const results = view.of('canary').flatMap((event) => (event.scenario === scenario ? event.results : []));
  return regions.flatMap(({ name, share, rttMs }): ReportTraffic[] => {
    const ofRegion = totals.reduce((sum, total) => sum + (total.region === name ? total.sent : 0), 0);
    const dealt: ReportTraffic = {
      scenario,
      what: `share of ${name}`,
      declared: share,
      measured: ofRegion / sent,
      unit: 'ratio',
    };
    const measured = results.find(({ region }) => region?.name === name)?.region?.measuredMs;
    if (measured === undefined) return [dealt];
    return [dealt, { scenario, what: `round trip from ${name}`, declared: rttMs, measured, unit: 'ms' }];
  });
}

function conversions(
  scenario: string,
  journey: string,
  steps: readonly { name: string; conversion: number }[],
  totals: readonly ReportTotals[],
): ReportTraffic[] {
  const sentTo = (step: string): number | undefined =>
    totals.find((total) => total.journey === journey && total.step === step)?.sent;
  return steps.slice(1).flatMap((step, index): ReportTraffic[] => {
    const before = steps[index]!.name;
    const [from, to] = [sentTo(before), sentTo(step.name)];
    if (from === undefined || to === undefined || from === 0) return [];
    const what = `${journey}: ${before} → ${step.name}`;
    return [{ scenario, what, declared: step.conversion, measured: Math.min(1, to / from), unit: 'ratio' }];
  });
}
