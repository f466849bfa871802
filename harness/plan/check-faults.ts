import { HarnessError } from '../core/errors.ts';
import { formatDuration } from '../core/units.ts';
import type { Effect } from '../spi/fault.ts';
import type { JsonObject } from '../spi/json.ts';
import type { FaultSpec, GuardSpec, Target } from '../spi/plan.ts';
import type { Topology } from '../spi/topology.ts';
import { type Blast, worstCase } from './blast.ts';
import type { Catalogue } from './catalogue.ts';
import { isObject, suggest } from './load.ts';
import type { IssueBook } from './parts.ts';
import { faultSchema, guardShape, planShape, type RawFault } from './schema.ts';

interface CheckedFault {
  index: number;
  spec: FaultSpec;
  effects: Effect[];
}

/** Everything that a fault is checked against; what could not be read is undefined and leaves its checks out. */
export interface FaultSurroundings {
  topology: Topology | undefined;
  loadMs: number | undefined;
  recoveryWindowMs: number;
  scenarioNames: readonly string[];
  catalogue: Catalogue;
}

/** Checks the faults one by one, then against each other and the guard. */
export function checkFaults(
  raw: JsonObject,
  around: FaultSurroundings,
  book: IssueBook,
): { faults: FaultSpec[]; guard: GuardSpec } {
  const parsed = raw.faults === undefined ? [] : book.parseList(faultSchema, planShape.faults, raw.faults, ['faults']);
  const names = parsed.map((fault) => fault?.name);
  const checked = parsed.flatMap((fault, index): CheckedFault[] => {
    if (fault === undefined) return [];
    if (names.indexOf(fault.name) < index) {
      book.add(['faults', index, 'name'], 'NAME_TWICE', `there is a fault "${fault.name}" already`);
    }
    checkTime(fault, index, around, book);
    const spec = checkFault(fault, index, around, book);
    return spec === undefined ? [] : [spec];
  });
  checkOverlaps(checked, book);
  const guard = checkGuard(raw, around, book);
  if (guard !== undefined && around.topology !== undefined) checkBlast(checked, guard, around.topology, book);
  return { faults: checked.map(({ spec }) => spec), guard: guard ?? { blastRadius: undefined, abortWhen: [] } };
}

function checkTime(
  fault: RawFault,
  index: number,
  { loadMs, recoveryWindowMs }: FaultSurroundings,
  book: IssueBook,
): void {
  if (fault.for === 0) book.add(['faults', index, 'for'], 'VALUE', 'a fault must be held for some time');
  const endMs = fault.at + fault.for + recoveryWindowMs;
  if (loadMs === undefined || endMs <= loadMs) return;
  const parts = `${formatDuration(fault.at)} + ${formatDuration(fault.for)} + recovery window ${formatDuration(recoveryWindowMs)}`;
  const message = `${fault.name} and its recovery last until ${formatDuration(endMs)} (${parts}), the load only until ${formatDuration(loadMs)}`;
  const hint = `make the load ${formatDuration(endMs - loadMs)} longer, or the fault earlier or shorter`;
  book.add(['faults', index, 'for'], 'FAULT_PAST_END', message, { hint });
}

function checkFault(
  fault: RawFault,
  index: number,
  around: FaultSurroundings,
  book: IssueBook,
): CheckedFault | undefined {
  const path = ['faults', index];
  const kind = Object.hasOwn(around.catalogue.faults, fault.inject) ? around.catalogue.faults[fault.inject] : undefined;
  if (kind === undefined) {
    const more = suggest(fault.inject, Object.keys(around.catalogue.faults));
    book.add([...path, 'inject'], 'FAULT_UNKNOWN', `there is no fault "${fault.inject}"`, more);
    return undefined;
  }
  const params = kind.params.parse(fault.with);
  if (!params.ok) book.addAll(params.issues, [...path, 'with']);
  if (around.topology === undefined) return undefined;
  const shape = shapeOf(fault.target);
  if (!kind.targets.includes(shape)) {
    const message = `${fault.inject} does not act on a ${shape}`;
    book.add([...path, 'target'], 'TARGET', message, { expected: `a target that is ${orList(kind.targets)}` });
    return undefined;
  }
  if (!checkTarget(fault.target, around.topology, [...path, 'target'], book) || !params.ok) return undefined;
  const spec: FaultSpec = {
    name: fault.name,
    kind: fault.inject,
    atMs: fault.at,
    forMs: fault.for,
    target: fault.target,
    params: params.value,
  };
  try {
    return { index, spec, effects: kind.effects(params.value, fault.target, around.topology) };
  } catch (thrown) {
    if (!(thrown instanceof HarnessError)) throw thrown;
    book.add([...path, 'target'], 'TARGET', thrown.message, { hint: thrown.hint });
    return undefined;
  }
}

const shapeOf = (target: Target): 'idc' | 'service' | 'node' | 'store' | 'link' => {
  if ('store' in target) return 'store';
  if ('service' in target) return 'service';
  if ('node' in target) return 'node';
  return 'link' in target ? 'link' : 'idc';
};

/** Every name of a target exists, and none of it stands where the users do. */
function checkTarget(target: Target, topology: Topology, path: (string | number)[], book: IssueBook): boolean {
  const services = unique(topology.nodes.filter(({ kind }) => kind === 'service').map(({ of }) => of));
  const stores = unique(topology.nodes.filter(({ kind }) => kind === 'store').map(({ of }) => of));
  const nodes = topology.nodes.map(({ id }) => id);
  const refer = (name: string, known: readonly string[], what: string, at: (string | number)[]): boolean => {
    if (known.includes(name)) return true;
    book.add([...path, ...at], 'REFERENCE_UNKNOWN', `there is no ${what} "${name}"`, suggest(name, known));
    return false;
  };
  if ('link' in target) {
    const any = unique([...topology.idcs, ...services, ...stores, ...nodes]);
    const ends = (['from', 'to'] as const).flatMap((end) =>
      target.link[end].map((name, index) => {
        const listed = Array.isArray(valueOfEnd(book, path, end)) ? ['link', end, index] : ['link', end];
        return refer(name, any, 'node, service, store or IDC', listed);
      }),
    );
    return ends.every(Boolean);
  }
  let found = true;
  if ('store' in target) found = refer(target.store, stores, 'store', ['store']);
  if ('service' in target) found = refer(target.service, services, 'service', ['service']);
  if ('node' in target) found = refer(target.node, nodes, 'node', ['node']);
  if ('idc' in target && target.idc !== undefined) found = refer(target.idc, topology.idcs, 'IDC', ['idc']) && found;
  if (!found) return false;
  return checkAim(target, topology, path, book);
}

function valueOfEnd(book: IssueBook, path: readonly (string | number)[], end: 'from' | 'to'): unknown {
  return [...path, 'link', end].reduce<unknown>(
    (at, part) => (typeof at === 'object' && at !== null ? (at as Record<string, unknown>)[part] : undefined),
    book.document.value,
  );
}

function checkAim(
  target: Exclude<Target, { link: unknown }>,
  topology: Topology,
  path: (string | number)[],
  book: IssueBook,
): boolean {
  const hit = topology.nodes.filter((node) => {
    if ('node' in target) return node.id === target.node;
    if ('store' in target) return node.of === target.store;
    if ('service' in target) return node.of === target.service && (target.idc === undefined || node.idc === target.idc);
    return node.idc === target.idc;
  });
  if (hit.length === 0) {
    book.add(path, 'TARGET', 'this target matches nothing');
    return false;
  }
  if ('store' in target && target.role === 'standby' && !hit.some(({ firstRole }) => firstRole === 'standby')) {
    book.add([...path, 'role'], 'TARGET', `the store ${target.store} has no standby`);
    return false;
  }
  const edge = hit.filter((node) => topology.edge.includes(node.idc));
  if (edge.length === 0) return true;
  const message = `${edge.map(({ id }) => id).join(', ')} stands at the edge, where the users are: never a target`;
  book.add(path, 'EDGE_TARGET', message, { hint: 'what is not the users’ own belongs outside `edge` in the stack' });
  return false;
}

function checkOverlaps(faults: readonly CheckedFault[], book: IssueBook): void {
  faults.forEach((later, position) => {
    for (const earlier of faults.slice(0, position)) {
      if (!atOnce(earlier.spec, later.spec)) continue;
      const taken = new Set(earlier.effects.flatMap(placesOf));
      const shared = unique(later.effects.flatMap(placesOf).filter((place) => taken.has(place)));
      if (shared.length === 0) continue;
      const what =
        shared.length > 3 ? `${shared.slice(0, 3).join(', ')} and ${shared.length - 3} more` : shared.join(', ');
      const message = `${later.spec.name} acts on ${what} while ${earlier.spec.name} still does`;
      const endMs = earlier.spec.atMs + earlier.spec.forMs;
      book.add(['faults', later.index, 'at'], 'FAULTS_OVERLAP', message, {
        expected: `a start outside ${formatDuration(earlier.spec.atMs)} to ${formatDuration(endMs)}`,
      });
    }
  });
}

const atOnce = (a: FaultSpec, b: FaultSpec): boolean => a.atMs < b.atMs + b.forMs && b.atMs < a.atMs + a.forMs;

/** Where an effect acts; a role may be any member's by then. */
function placesOf({ on, touches }: Effect): string[] {
  if ('link' in on) return [on.link];
  return 'node' in on ? [on.node] : touches.nodes;
}

function checkGuard(raw: JsonObject, { scenarioNames }: FaultSurroundings, book: IssueBook): GuardSpec | undefined {
  if (raw.guard === undefined) {
    const expected = '`guard: none`, or a mapping with `blastRadius` and `abortWhen`';
    book.add(['guard'], 'VALUE', 'the plan says nothing about a guard', { expected });
    return undefined;
  }
  if (raw.guard === 'none') return { blastRadius: undefined, abortWhen: [] };
  const given = raw.guard;
  if (!isObject(given)) {
    book.parse(planShape.guard, given, ['guard']);
    return undefined;
  }
  book.unknownKeys(guardShape, given, ['guard']);
  const blastRadius = book.parse(guardShape.blastRadius, given.blastRadius, ['guard', 'blastRadius']);
  const abortWhen = book.parse(guardShape.abortWhen, given.abortWhen, ['guard', 'abortWhen']);
  const rules = abortWhen === undefined || abortWhen === 'none' ? [] : abortWhen;
  rules.forEach(({ of, over }, index) => {
    const path = ['guard', 'abortWhen', index];
    if (!scenarioNames.includes(of)) {
      book.add([...path, 'of'], 'REFERENCE_UNKNOWN', `there is no scenario "${of}"`, suggest(of, scenarioNames));
    }
    if (over < 1000) book.add([...path, 'over'], 'VALUE', 'load is counted by the second', { expected: 'at least 1s' });
  });
  if (blastRadius === undefined) return undefined;
  return {
    blastRadius: blastRadius === 'none' ? undefined : withoutUndefined(blastRadius),
    abortWhen: rules.map(({ of, bad, over }) => ({ of, badRatio: bad, overMs: over })),
  };
}

/** At any moment, all faults held then together stay within what the guard allows. */
function checkBlast(faults: readonly CheckedFault[], guard: GuardSpec, topology: Topology, book: IssueBook): void {
  const allowed = guard.blastRadius;
  if (allowed === undefined) return;
  for (const last of faults) {
    const held = faults.filter(({ spec }) => atOnce(spec, { ...last.spec, forMs: 1 }));
    const blast: Blast = worstCase(
      held.flatMap(({ effects }) => effects),
      topology,
    );
    for (const what of ['idcs', 'nodes', 'services'] as const) {
      const limit = allowed[what];
      if (limit === undefined || blast[what] <= limit) continue;
      const together = held.length > 1 ? `${held.map(({ spec }) => spec.name).join(' and ')} together` : last.spec.name;
      const message = `${together} can touch ${blast[what]} ${what}, the guard allows ${limit}`;
      book.add(['faults', last.index, 'target'], 'BLAST_RADIUS', message, {
        hint: `aim at less, or allow it: \`blastRadius: { ${what}: ${blast[what]} }\``,
      });
    }
  }
}

function withoutUndefined(radius: {
  idcs?: number | undefined;
  nodes?: number | undefined;
  services?: number | undefined;
}) {
  return Object.fromEntries(Object.entries(radius).filter(([, limit]) => limit !== undefined));
}

function unique(names: readonly string[]): string[] {
  return [...new Set(names)];
}

function orList(words: readonly string[]): string {
  return words.length < 2 ? words.join('') : `${words.slice(0, -1).join(', ')} or ${words.at(-1)}`;
}
