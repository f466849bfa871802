import { HarnessError } from '../core/errors.ts';
import type { Effect, Fault, FaultDriver } from '../spi/fault.ts';
import type { JsonObject } from '../spi/json.ts';
import type { GuardSpec, Plan, Target } from '../spi/plan.ts';
import type { Capabilities } from '../spi/runtime.ts';
import type { Topology } from '../spi/topology.ts';
import type { Catalogue } from './catalogue.ts';
import { type Held, withinClaims } from './explore-limits.ts';
import { NOT_DRAWN, SIZES } from './explore-sizes.ts';
import { layOut } from './topology.ts';

/** One fault of a schedule, as a plan writes it, with times as numbers. */
export interface ScheduledFault {
  name: string;
  inject: string;
  target: Target;
  with: JsonObject;
  /** From t = 0, and how long it is held from its bite. */
  atMs: number;
  forMs: number;
}
export type Schedule = readonly ScheduledFault[];

/** Everything that may be drawn on a stack: by kind, the targets that exist, that somebody can hit, and that it can lose. */
export interface Space {
  topology: Topology;
  entry: string;
  guard: GuardSpec;
  targets: ReadonlyMap<string, readonly Target[]>;
  /** Kinds that are never drawn here, with the reason. */
  leftOut: ReadonlyMap<string, string>;
  /** What the fault does; undefined where it cannot be done here. */
  effectsOf(fault: Pick<ScheduledFault, 'inject' | 'target' | 'with'>): readonly Effect[] | undefined;
}

/** The space of a plan's own stack under the powers of a runtime. Pure. */
export function spaceOf(
  plan: Plan,
  capabilities: Capabilities,
  { faults }: Pick<Catalogue, 'faults'>,
  drivers: readonly FaultDriver[],
): Space {
  const topology = layOut(plan.stack);
  const { guard } = plan;
  const { entry } = plan.stack;
  const able = (effect: Effect): boolean => drivers.some((driver) => driver.accepts(effect, capabilities)?.ok === true);
  const effectsOf: Space['effectsOf'] = (fault) => {
    const effects = rawEffects(faults[fault.inject], fault, topology);
    return effects?.every(able) === true ? effects : undefined;
  };
  const targets = new Map<string, Target[]>();
  const leftOut = new Map<string, string>();
  for (const kind of Object.values(faults).toSorted((a, b) => a.kind.localeCompare(b.kind))) {
    const sizes = SIZES[kind.kind];
    if (sizes === undefined) {
      leftOut.set(kind.kind, NOT_DRAWN[kind.kind] ?? 'nobody has said how its sizes are drawn');
      continue;
    }
    const fault = (target: Target) => ({ inject: kind.kind, target, with: sizes.plain });
    const there = distinctTargets(kind, topology, (target) => rawEffects(kind, fault(target), topology));
    const done = there.filter((target) => effectsOf(fault(target)) !== undefined);
    const around = { topology, entry, guard };
    const fit = done.filter((target) => withinClaims([{ effects: effectsOf(fault(target))! } as Held], around));
    if (fit.length > 0) targets.set(kind.kind, fit);
    else if (there.length === 0) leftOut.set(kind.kind, 'the stack has nothing that it acts on');
    else if (done.length === 0) leftOut.set(kind.kind, `the ${capabilities.runtime} runtime cannot do it here`);
    else leftOut.set(kind.kind, 'it takes more than the guard allows or the stack claims to survive');
  }
  return { topology, entry, guard, targets, leftOut, effectsOf };
}

function rawEffects(
  kind: Fault | undefined,
  fault: Pick<ScheduledFault, 'target' | 'with'>,
  topology: Topology,
): Effect[] | undefined {
  const params = kind?.params.parse(fault.with);
  if (kind === undefined || params?.ok !== true) return undefined;
  try {
    return kind.effects(params.value, fault.target, topology);
  } catch (thrown) {
    if (thrown instanceof HarnessError && thrown.code === 'FAULT_TARGET_EMPTY') return undefined;
    throw thrown;
  }
}

/** Targets that mean something to the kind, each set of effects once, by its plainest name. */
function distinctTargets(
  kind: Fault,
  topology: Topology,
  effectsOf: (target: Target) => Effect[] | undefined,
): Target[] {
  const found = new Map<string, Target>();
  for (const target of targetsIn(topology)) {
    const shape = 'store' in target ? 'store' : 'service' in target ? 'service' : Object.keys(target)[0]!;
    if (!kind.targets.includes(shape as Fault['targets'][number])) continue;
    const effects = effectsOf(target);
    if (effects === undefined) continue;
    const key = JSON.stringify(effects);
    if (!found.has(key)) found.set(key, target);
  }
  return [...found.values()];
}

/** What a fault may name: no node at the edge, where the users are. */
function targetsIn({ nodes, links, idcs, edge }: Topology): Target[] {
  const within = nodes.filter(({ idc }) => !edge.includes(idc));
  const services = new Set(within.filter(({ kind }) => kind === 'service').map(({ of }) => of));
  const wholly = [...services].filter((of) => nodes.every((node) => node.of !== of || within.includes(node)));
  const stores = new Set(within.filter(({ kind }) => kind === 'store').map(({ of }) => of));
  const byId = new Map(nodes.map((node) => [node.id, node]));
  const ends = links.map(({ from, to }) => [byId.get(from)!, byId.get(to)!] as const);
  const linked = (nameOf: (node: (typeof nodes)[number]) => string): Target[] => {
    const pairs = ends.map(([from, to]) => [nameOf(from), nameOf(to)] as const).filter(([from, to]) => from !== to);
    const once = new Map(pairs.map((pair) => [JSON.stringify(pair), pair]));
    return [...once.values()].map(([from, to]) => ({ link: { from: [from], to: [to] } }));
  };
  return [
    ...within.map(({ id }) => ({ node: id })),
    ...wholly.map((service) => ({ service })),
    ...idcs.filter((idc) => within.some((node) => node.idc === idc)).map((idc) => ({ idc })),
    ...[...stores].flatMap((store) => [
      { store, role: 'primary' as const },
      ...(within.some((node) => node.of === store && node.firstRole === 'standby')
        ? [{ store, role: 'standby' as const }]
        : []),
    ]),
    ...linked(({ of }) => of),
    ...linked(({ id }) => id),
    ...linked(({ idc }) => idc),
  ];
}
