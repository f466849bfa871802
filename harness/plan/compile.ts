import { HarnessError } from '../core/errors.ts';
import { seeded } from '../core/random.ts';
import { curveDuration } from '../core/rate-curve.ts';
import type { Effect, FaultDriver } from '../spi/fault.ts';
import type { LoadDriver } from '../spi/load.ts';
import type { CheckSpec, FaultDraw, FaultSpec, Plan, Scenario } from '../spi/plan.ts';
import type { Capabilities, Support } from '../spi/runtime.ts';
import type { Timeline, TimelineCheck, TimelineFault, TimelineScenario } from '../spi/timeline.ts';
import type { Topology } from '../spi/topology.ts';
import { allTouched } from './blast.ts';
import type { Catalogue } from './catalogue.ts';
import { loadDuration } from './check-load.ts';
import { isClosed } from './check-rate.ts';
import { digestOf } from './digest.ts';
import { secretsOf } from './secrets.ts';
import { expectedSample, startsByJourney, startsOf } from './starts.ts';
import { layOut } from './topology.ts';

const CLOSED_NOTE =
  'its users wait for their answers, so that while the system stalls they send nothing: rate and latency flatter a system that stalls (coordinated omission). An arrival rate does not.';

export interface Drivers {
  fault: readonly FaultDriver[];
  load: readonly LoadDriver[];
}

/**
 * A valid plan against what a runtime can do: who makes which effect true, and all that will happen. Pure; nothing has
 * started. Throws FAULT_UNSUPPORTED or LOAD_UNSUPPORTED naming everything that cannot be done, with reasons and hints.
 */
export function compile(
  plan: Plan,
  capabilities: Capabilities,
  seed: number,
  catalogue: Catalogue,
  drivers: Drivers,
): Timeline {
  const topology = layOut(plan.stack);
  const notes = new Set<string>();
  const scenarios = compileAll(plan.load, 'LOAD_UNSUPPORTED', (scenario) =>
    compileScenario(scenario, seed, drivers.load, notes),
  );
  const faults = compileAll(plan.faults, 'FAULT_UNSUPPORTED', (fault) =>
    compileFault(fault, { topology, capabilities, catalogue, drivers: drivers.fault, notes, seed }),
  );
  const body = {
    runtime: capabilities.runtime,
    seed,
    plan,
    topology,
    scenarios,
    faults,
    checks: plan.verify.map((check) => compileCheck(check, plan, seed, catalogue)),
    loadMs: loadDuration(plan.load),
    warmUpMs: Math.max(0, ...plan.load.map(({ warmUpMs }) => warmUpMs)),
    notes: [...notes],
  };
  // Versions are not in it: the same plan on the same kind of runtime is the same rehearsal.
  const powers = capabilities.powers.toSorted();
  const digested = { ...body, capabilities: { powers, proxy: capabilities.proxy?.engine ?? null } };
  return { digest: digestOf(digested, plan, secretsOf(plan)), ...body };
}

interface Refusal {
  what: string;
  reason: string;
  hint: string;
}

function compileAll<A, B>(
  items: readonly A[],
  code: 'LOAD_UNSUPPORTED' | 'FAULT_UNSUPPORTED',
  compileOne: (item: A) => B | Refusal[],
): B[] {
  const results = items.map(compileOne);
  const refused = results.flatMap((result) => (Array.isArray(result) ? (result as Refusal[]) : []));
  if (refused.length === 0) return results as B[];
  const message = refused.map(({ what, reason }) => `${what}: ${reason}`).join('\n');
  throw new HarnessError(code, message, [...new Set(refused.map(({ hint }) => hint))].join('\n'));
}

function compileScenario(
  scenario: Scenario,
  seed: number,
  drivers: readonly LoadDriver[],
  notes: Set<string>,
): TimelineScenario | Refusal[] {
  const driver = drivers.find(({ name }) => name === scenario.engine);
  const support: Support = driver?.accepts(scenario) ?? {
    ok: false,
    reason: `the load engine ${scenario.engine} is not here`,
    hint: `known engines: ${drivers.map(({ name }) => name).join(', ') || 'none'}`,
  };
  if (!support.ok) return [{ what: scenario.name, reason: support.reason, hint: support.hint }];
  if (support.note !== undefined) notes.add(`${scenario.name}: ${support.note}`);
  if (isClosed(scenario.executor)) notes.add(`${scenario.name}: ${CLOSED_NOTE}`);
  return {
    name: scenario.name,
    driver: scenario.engine,
    starts: startsOf(scenario, seed),
    startsByJourney: startsByJourney(scenario, seed),
    durationMs: curveDuration(scenario.segments),
  };
}

function compileFault(
  fault: FaultSpec,
  by: {
    topology: Topology;
    capabilities: Capabilities;
    catalogue: Catalogue;
    drivers: readonly FaultDriver[];
    notes: Set<string>;
    seed: number;
  },
): TimelineFault | Refusal[] {
  const kind = by.catalogue.faults[fault.kind];
  if (kind === undefined) {
    const hint = `known faults: ${Object.keys(by.catalogue.faults).join(', ')}`;
    return [{ what: fault.name, reason: `there is no fault ${fault.kind}`, hint }];
  }
  const effects = kind.effects(fault.params, fault.target, by.topology);
  const drivers: string[] = [];
  const refused: Refusal[] = [];
  for (const effect of effects) {
    const chosen = chooseDriver(effect, by.drivers, by.capabilities);
    if ('name' in chosen) {
      drivers.push(chosen.name);
      if (chosen.note !== undefined) by.notes.add(`${fault.name}: ${chosen.note}`);
    } else refused.push({ what: `${fault.name} (${fault.kind})`, ...chosen });
  }
  if (refused.length > 0) return distinct(refused);
  const { draws, atMs, ...known } = fault;
  const blast = allTouched(effects, by.topology);
  return { ...known, ...drawnTime(atMs, draws ?? [], by.seed), effects, drivers, blast };
}

/** What comes from a span of ten seconds or more is a multiple of this: nobody reads the rest. */
const COARSE_MS = 100;

/** A turn with its chance drawn: the same for the same seed, and for all faults that share a draw. */
function drawnTime(atMs: number, draws: readonly FaultDraw[], seed: number): Pick<TimelineFault, 'atMs' | 'drawn'> {
  if (draws.length === 0) return { atMs };
  const random = seeded(seed).fork('faults');
  const putOffMs = draws.map(({ of, spreadMs }) => {
    const grain = spreadMs < 100 * COARSE_MS ? 1 : COARSE_MS;
    return random.fork(of).integer(0, Math.floor(spreadMs / grain)) * grain;
  });
  const spreadMs = draws.reduce((sum, draw) => sum + draw.spreadMs, 0);
  const drawn = { fromMs: atMs, toMs: atMs + spreadMs };
  return { atMs: putOffMs.reduce((sum, one) => sum + one, atMs), drawn };
}

/** The first driver that accepts; else why none did, in the words of those that had something to say. */
function chooseDriver(
  effect: Effect,
  drivers: readonly FaultDriver[],
  capabilities: Capabilities,
): { name: string; note: string | undefined } | { reason: string; hint: string } {
  const reasons: string[] = [];
  const hints: string[] = [];
  for (const driver of drivers) {
    const support = driver.accepts(effect, capabilities);
    if (support === undefined) continue;
    if (support.ok) return { name: driver.name, note: support.note };
    reasons.push(support.reason);
    hints.push(support.hint);
  }
  const runtime = `this is the ${capabilities.runtime} runtime`;
  if (reasons.length === 0)
    return { reason: `${effect.kind}: no driver for it is here; ${runtime}`, hint: 'see `seawall doctor`' };
  return { reason: `${effect.kind}: ${unique(reasons).join('; ')}; ${runtime}`, hint: unique(hints).join('; ') };
}

function compileCheck(
  { check: kind, params, advisory }: CheckSpec,
  plan: Plan,
  seed: number,
  catalogue: Catalogue,
): TimelineCheck {
  const check = catalogue.checks[kind];
  const of = check?.sampleOf?.(params);
  const scenario = plan.load.find(({ name }) => name === of?.scenario);
  return {
    check: kind,
    params,
    advisory,
    sampleNeeded: check?.sampleNeeded?.(params),
    sampleExpected: scenario === undefined ? undefined : expectedSample(scenario, of ?? {}, seed),
  };
}

function distinct(refusals: readonly Refusal[]): Refusal[] {
  return [...new Map(refusals.map((refusal) => [JSON.stringify(refusal), refusal])).values()];
}

function unique(texts: readonly string[]): string[] {
  return [...new Set(texts)];
}
