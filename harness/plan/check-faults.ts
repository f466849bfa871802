import { HarnessError } from '../core/errors.ts';
import { formatDuration } from '../core/units.ts';
import type { Effect } from '../spi/fault.ts';
import type { JsonObject } from '../spi/json.ts';
import type { FaultSpec, GuardSpec } from '../spi/plan.ts';
import type { Topology } from '../spi/topology.ts';
import type { Catalogue } from './catalogue.ts';
import { checkBlast, checkBudget } from './check-blast.ts';
import { checkTarget, shapeOf } from './check-target.ts';
import { Concurrency } from './concurrent.ts';
import type { Path } from './document.ts';
import { expandFaults, type Injection, latenessOf } from './expand-faults.ts';
import { parseFaultItems, type WrittenFault, writtenFaults } from './fault-items.ts';
import { isObject, suggest } from './load.ts';
import type { IssueBook } from './parts.ts';
import { guardShape, planShape } from './schema.ts';

/** One injection with what it does. */
export interface CheckedFault {
  path: Path;
  spec: FaultSpec;
  effects: Effect[];
}

/** Everything that a fault is checked against; what could not be read is undefined and leaves its checks out. */
export interface FaultSurroundings {
  topology: Topology | undefined;
  /** The service that users call. */
  entry: string;
  loadMs: number | undefined;
  recoveryWindowMs: number;
  scenarioNames: readonly string[];
  catalogue: Catalogue;
}

/** Checks the faults one by one, lays them out in time, and checks them against each other, the guard and the stack. */
export function checkFaults(
  raw: JsonObject,
  around: FaultSurroundings,
  book: IssueBook,
  warnings: IssueBook,
): { faults: FaultSpec[]; guard: GuardSpec } {
  const { items, faults } = parseFaultItems(raw.faults, book);
  const meant = new Map(faults.map((one) => [one, checkFault(one, around, book)]));
  const whole = new Set(writtenFaults(items).map((one) => one.raw.name));
  const brokenNames = new Set(namesWithin(raw.faults).filter((name) => !whole.has(name)));
  const injections = expandFaults(items, { recoveryWindowMs: around.recoveryWindowMs, brokenNames }, book);
  checkNames(injections, book);
  checkTimes(injections, around, book);
  const checked = injections.flatMap(({ written: of, timing }): CheckedFault[] => {
    const what = meant.get(of);
    return what === undefined ? [] : [{ path: of.path, spec: specOf(timing, what), effects: what.effects }];
  });
  const concurrency = new Concurrency(checked.map(({ spec }) => spec));
  checkOverlaps(checked, concurrency, book);
  const guard = checkGuard(raw, around, book);
  if (guard !== undefined && around.topology !== undefined) {
    checkBlast(checked, concurrency, guard, around.topology, book);
    const unlimited = raw.guard === 'none' || guard.faultBudget === 'none';
    if (!unlimited) checkBudget(checked, concurrency, { ...around, topology: around.topology }, book, warnings);
  }
  return { faults: checked.map(({ spec }) => spec), guard: guard ?? { blastRadius: undefined, abortWhen: [] } };
}

type Meant = Pick<FaultSpec, 'kind' | 'target' | 'params'> & { effects: Effect[] };

function specOf({ name, atMs, forMs, ...more }: Injection['timing'], { kind, target, params }: Meant): FaultSpec {
  return { name, kind, atMs, forMs, target, params, ...more };
}

/** Every `name` that is written anywhere below, of faults that could be read or not. */
function namesWithin(value: unknown): string[] {
  if (Array.isArray(value)) return value.flatMap(namesWithin);
  if (!isObject(value as JsonObject)) return [];
  const { name, ...rest } = value as JsonObject;
  return [...(typeof name === 'string' ? [name] : []), ...Object.values(rest).flatMap(namesWithin)];
}

function checkNames(injections: readonly Injection[], book: IssueBook): void {
  const owners = new Map<string, WrittenFault>();
  const claim = (name: string, owner: WrittenFault): void => {
    const before = owners.get(name);
    if (before === undefined) owners.set(name, owner);
    else if (before !== owner) book.add([...owner.path, 'name'], 'NAME_TWICE', `there is a fault "${name}" already`);
  };
  for (const { written, timing } of injections) {
    claim(timing.name, written);
    claim(written.raw.name, written);
  }
}

/** Each written fault once, at its latest. */
function checkTimes(
  injections: readonly Injection[],
  { loadMs, recoveryWindowMs }: FaultSurroundings,
  book: IssueBook,
): void {
  const endOf = ({ timing }: Injection): number => timing.atMs + latenessOf(timing) + timing.forMs + recoveryWindowMs;
  for (const [written, own] of Map.groupBy(injections, (one) => one.written)) {
    const path = [...written.path, 'for'];
    if (written.raw.for === 0) book.add(path, 'VALUE', 'a fault must be held for some time');
    const last = own.toSorted((a, b) => endOf(b) - endOf(a))[0]!;
    const endMs = endOf(last);
    if (loadMs === undefined || endMs <= loadMs) continue;
    const { name, atMs, forMs } = last.timing;
    const lateMs = latenessOf(last.timing);
    const late = lateMs === 0 ? '' : ` + ${formatDuration(lateMs)} later at worst`;
    const parts = `${formatDuration(atMs)}${late} + ${formatDuration(forMs)} + recovery window ${formatDuration(recoveryWindowMs)}`;
    const message = `${name} and its recovery last until ${formatDuration(endMs)} (${parts}), the load only until ${formatDuration(loadMs)}`;
    const hint = `make the load ${formatDuration(endMs - loadMs)} longer, or the fault earlier or shorter`;
    book.add(path, 'FAULT_PAST_END', message, { hint });
  }
}

function checkFault({ raw: fault, path }: WrittenFault, around: FaultSurroundings, book: IssueBook): Meant | undefined {
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
  try {
    const effects = kind.effects(params.value, fault.target, around.topology);
    return { kind: fault.inject, target: fault.target, params: params.value, effects };
  } catch (thrown) {
    if (!(thrown instanceof HarnessError)) throw thrown;
    book.add([...path, 'target'], 'TARGET', thrown.message, { hint: thrown.hint });
    return undefined;
  }
}

/** No two act on one place at a moment, whatever chance and lateness make of their times; two written faults once. */
function checkOverlaps(faults: readonly CheckedFault[], concurrency: Concurrency, book: IssueBook): void {
  const places = faults.map(({ effects }) => new Set(effects.flatMap(placesOf)));
  const told = new Set<string>();
  faults.forEach((later, position) => {
    faults.slice(0, position).forEach((earlier, index) => {
      const pair = JSON.stringify([earlier.path, later.path]);
      if (told.has(pair) || !concurrency.canMeet(earlier.spec, later.spec)) return;
      const shared = [...places[position]!].filter((place) => places[index]!.has(place));
      if (shared.length === 0) return;
      told.add(pair);
      book.add([...later.path, 'at'], 'FAULTS_OVERLAP', overlapMessage(earlier, later, shared), {
        expected: `a start outside ${spanText(earlier.spec)}`,
      });
    });
  });
}

function overlapMessage(earlier: CheckedFault, later: CheckedFault, shared: readonly string[]): string {
  const what = shared.length > 3 ? `${shared.slice(0, 3).join(', ')} and ${shared.length - 3} more` : shared.join(', ');
  const unsure = [earlier.spec, later.spec].filter((spec) => latenessOf(spec) > 0);
  const turns = unsure.map((spec) => {
    const [from, to] = [spec.atMs, spec.atMs + latenessOf(spec)].map(formatDuration);
    return `${spec.name} may begin from ${from} to ${to}`;
  });
  const verb = unsure.length === 0 ? 'acts' : 'may act';
  const chance = unsure.length === 0 ? '' : `: ${turns.join(', ')}`;
  return `${later.spec.name} ${verb} on ${what} while ${earlier.spec.name} still does${chance}`;
}

function spanText(spec: FaultSpec): string {
  return `${formatDuration(spec.atMs)} to ${formatDuration(spec.atMs + latenessOf(spec) + spec.forMs)}`;
}

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
  const faultBudget = book.parse(guardShape.faultBudget, given.faultBudget, ['guard', 'faultBudget']);
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
    ...(faultBudget === undefined ? {} : { faultBudget }),
  };
}

function withoutUndefined(radius: {
  idcs?: number | undefined;
  nodes?: number | undefined;
  services?: number | undefined;
}) {
  return Object.fromEntries(Object.entries(radius).filter(([, limit]) => limit !== undefined));
}

function orList(words: readonly string[]): string {
  return words.length < 2 ? words.join('') : `${words.slice(0, -1).join(', ')} or ${words.at(-1)}`;
}
