import { z } from 'zod';
import { isAsAsked } from '../core/region-tolerance.ts';
import { zodSchema } from '../core/zod-schema.ts';
import type { Check, Finding } from '../spi/check.ts';
import type { JournalView } from '../spi/journal.ts';
import type { CanaryResult } from '../spi/load.ts';
import type { RegionSpec } from '../spi/plan.ts';

/** One slow moment of the machine is no proxy that cannot keep up. */
const LOOKS_MIN = 5;

/**
 * Always judged: whether the way from each region was measured to take what the plan asks, before the load and under it.
 * One that was not makes the run unknown, for its users were not where the plan says. Shown as advisory when it was.
 */
export const regions: Check<Record<string, never>> = {
  kind: 'region',
  summary: 'Users in each region were as far away as the plan says.',
  params: zodSchema<Record<string, never>>(z.strictObject({})),
  evaluate: (view) =>
    view.timeline.plan.load.flatMap(({ name, regions: asked = [] }) =>
      asked.map((region) => judge(view, name, region)),
    ),
};

function judge(view: JournalView, scenario: string, region: RegionSpec): Finding {
  const { name, rttMs } = region;
  // Every segment has measured its own.
  const measured = view.of('canary').flatMap(({ seq, scenario: of, results }) => {
    if (of !== scenario) return [];
    return results.filter((result) => result.region?.name === name).map((result) => ({ seq, ...result }));
  });
  const worst = measured.find(({ good }) => !good) ?? measured[0];
  const looked = underLoad(view, scenario, name);
  const wrong = faultOf(region, worst, looked);
  return {
    check: 'region',
    scope: `${scenario} from ${name}`,
    verdict: wrong === undefined ? 'pass' : 'unknown',
    basis: 'trials',
    claim: `the way from ${name} adds ${rttMs} ms to a round trip`,
    measured: { value: worst?.region?.measuredMs ?? 0, unit: 'ms' },
    threshold: { value: rttMs, unit: 'ms' },
    sampleCount: measured.length + looked.length,
    because: wrong ?? `The way from ${name} was measured before the load: ${worst!.because}${lookedText(looked)}.`,
    evidence: measured.map(({ seq }) => seq),
    advisory: wrong === undefined,
  };
}

/** What single looks at the way saw from t = 0 on, in ms, from the least to the most. */
function underLoad(view: JournalView, scenario: string, name: string): number[] {
  return (
    view
      .of('load.health')
      .flatMap(({ row }) => (row.scenario === scenario && row.atMs >= 0 ? (row.ways ?? []) : []))
      // Without an answer it took longer than anybody waited.
      .flatMap((way) => (way.name === name ? [way.measuredMs ?? Number.POSITIVE_INFINITY] : []))
      .toSorted((a, b) => a - b)
  );
}

function faultOf(region: RegionSpec, worst: CanaryResult | undefined, looked: readonly number[]): string | undefined {
  const { name } = region;
  if (worst?.good !== true) {
    const found = worst?.because ?? 'nobody measured it';
    return `The way from ${name} does not do what the plan says: ${found}. Its users were somewhere else.`;
  }
  if (!isOff(region, looked)) return undefined;
  return `The way from ${name} did not do under load what it did before${lookedText(looked)}, asked ${region.rttMs} ms. The proxy that makes it could not keep up, and what it added is in the latencies: a lower rate, or fewer users behind regions, would settle it.`;
}

/** Three of four looks say so, all to the same side: a system whose own answers vary much makes them differ to both. */
function isOff(region: RegionSpec, looked: readonly number[]): boolean {
  const quarter = Math.floor(looked.length / 4);
  const [low, high] = [looked[quarter]!, looked[looked.length - 1 - quarter]!];
  if (looked.length < LOOKS_MIN) return false;
  return (low > region.rttMs && !isAsAsked(region, low)) || (high < region.rttMs && !isAsAsked(region, high));
}

function lookedText(looked: readonly number[]): string {
  if (looked.length === 0) return '';
  const ms = median(looked);
  const added = ms === Number.POSITIVE_INFINITY ? 'nothing came back over it' : `it added ${ms} ms`;
  return `; under load ${added} (median of ${looked.length} looks)`;
}

/** Why a latency or a timeout of this scenario may be the regions' proxy's doing; undefined where it kept up. */
export function waysDoubt(view: JournalView, scenario: string): string | undefined {
  const asked = view.timeline.plan.load.find(({ name }) => name === scenario)?.regions ?? [];
  const slow = asked.filter((region) => isOff(region, underLoad(view, scenario, region.name)));
  if (slow.length === 0) return undefined;
  const names = slow.map(({ name }) => name).join(', ');
  return `But the way from ${names} did not keep up under this load, so it is unknown whose time it was.`;
}

const median = (sorted: readonly number[]): number => sorted[Math.floor(sorted.length / 2)]!;
