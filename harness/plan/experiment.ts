import { Document, isMap, isSeq, parseDocument, type YAMLMap } from 'yaml';
import { formatDuration } from '../core/units.ts';
import type { JsonObject } from '../spi/json.ts';
import type { Plan, Scenario } from '../spi/plan.ts';
import { isClosed, TRAFFIC_KEYS } from './check-rate.ts';

/** A fault tried by hand, as it is written in a plan, with times as text. */
export interface Experiment {
  fault: { inject: string; for: string; target: JsonObject; with: JsonObject };
  holdMs: number;
  /** Load before the fault and after its end. */
  leadMs: number;
  afterMs: number;
  /** Share of good journeys that is asked for. */
  availability: string;
  /** Instead of the plan's first rate, for every scenario that has one. */
  rate: string | undefined;
}

const STEADY_MS = 1000;

/**
 * A plan that tries one fault under the load of another, as YAML: its scenarios at their first rate, even, from a little
 * before the fault until after it. What is not about traffic (journeys, feeds, regions, the tag) stays as it was written.
 */
export function experimentText(planText: string, plan: Plan, experiment: Experiment): string {
  const { fault, holdMs, leadMs, afterMs, availability } = experiment;
  const document = parseDocument(planText);
  const lengthMs = leadMs + holdMs + afterMs;
  document.set('plan', `inject-${fault.inject.replaceAll('.', '-')}`);
  document.set(
    'hypothesis',
    `Users of ${plan.name} hardly notice ${fault.inject} for ${fault.for}, and it goes without a trace.`,
  );
  const scenarios = document.get('load');
  const played = plan.load.filter(({ executor }) => executor !== 'replay');
  if (isSeq(scenarios)) {
    scenarios.items = scenarios.items.filter(
      (item) => isMap(item) && played.some(({ name }) => name === item.get('scenario')),
    );
    for (const item of scenarios.items) {
      const map = item as YAMLMap;
      level(map, played.find(({ name }) => name === map.get('scenario'))!, lengthMs, experiment.rate);
    }
  }
  document.set('steadyState', document.createNode({ for: formatDuration(STEADY_MS), good: '0%' }));
  document.set(
    'faults',
    document.createNode([{ name: fault.inject.replaceAll('.', '-'), at: formatDuration(leadMs), ...fault }]),
  );
  document.set('recovery', document.createNode({ window: formatDuration(afterMs) }));
  document.set('guard', 'none');
  document.set(
    'verify',
    document.createNode(played.map(({ name }) => ({ availability: { of: name, target: availability } }))),
  );
  return document.toString();
}

/** Even traffic in place of whatever said how much there is. */
function level(map: YAMLMap, scenario: Scenario, lengthMs: number, rate: string | undefined): void {
  for (const key of TRAFFIC_KEYS) map.delete(key);
  if (scenario.executor !== 'poisson') map.delete('executor');
  if (isClosed(scenario.executor)) map.set('vus', scenario.warmUpRate);
  else map.set('rate', rate ?? `${scenario.warmUpRate}/s`);
  map.set('for', formatDuration(lengthMs));
  map.set('warmUp', '500ms');
}

/** A plan for a stack that came without one: every journey of it in equal shares, a few a second. */
export function planForStack(name: string, stackPath: string, journeys: readonly string[]): string {
  const share = Math.floor(10_000 / journeys.length) / 100;
  const rest = Math.round((100 - share * (journeys.length - 1)) * 100) / 100;
  const mix = Object.fromEntries(journeys.map((journey, index) => [journey, `${index === 0 ? rest : share}%`]));
  return new Document({
    plan: name,
    hypothesis: `What is up answers.`,
    stack: stackPath,
    load: [{ scenario: 'visits', rate: '20/s', for: '10s', mix, good: { within: '1s' } }],
    guard: 'none',
    verify: [{ availability: { of: 'visits', target: '99%', advisory: true } }],
  }).toString();
}
