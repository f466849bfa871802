import { formatCount, formatDuration, parseDuration } from '../core/units.ts';
import type { JsonObject } from '../spi/json.ts';
import type { CheckSpec, Scenario } from '../spi/plan.ts';
import type { Catalogue } from './catalogue.ts';
import type { StackNames } from './check-stack.ts';
import { isObject, suggest } from './load.ts';
import type { IssueBook } from './parts.ts';
import { planShape } from './schema.ts';
import { expectedSample, moreTimeFor } from './starts.ts';

export interface VerifySurroundings {
  catalogue: Catalogue;
  stack: StackNames;
  scenarioNames: readonly string[];
  scenarios: readonly Scenario[];
}

/** Checks what the plan wants verified; warnings go to the second book. */
export function checkVerify(
  raw: JsonObject,
  around: VerifySurroundings,
  book: IssueBook,
  warnings: IssueBook,
): CheckSpec[] {
  const list = raw.verify;
  if (!Array.isArray(list) || list.length === 0) {
    book.parse(planShape.verify, list, ['verify']);
    return [];
  }
  return list.flatMap((entry, index): CheckSpec[] => {
    const spec = checkEntry(entry, index, around, book);
    if (spec === undefined) return [];
    warnOfSample(spec, index, around, warnings);
    return [spec];
  });
}

function checkEntry(entry: unknown, index: number, around: VerifySurroundings, book: IssueBook): CheckSpec | undefined {
  const path = ['verify', index];
  const kinds = Object.keys(around.catalogue.checks);
  if (typeof entry !== 'object' || entry === null || Array.isArray(entry) || Object.keys(entry).length !== 1) {
    const expected = `a mapping with one key, one of ${kinds.join(', ')}`;
    book.add(path, 'VALUE', 'a check is one name with its parameters', { expected });
    return undefined;
  }
  const [kind, given] = Object.entries(entry as JsonObject)[0]!;
  const check = Object.hasOwn(around.catalogue.checks, kind) ? around.catalogue.checks[kind] : undefined;
  if (check === undefined) {
    book.add([...path, kind], 'CHECK_UNKNOWN', `there is no check "${kind}"`, { ...suggest(kind, kinds), at: 'key' });
    return undefined;
  }
  if (!isObject(given)) {
    book.add([...path, kind], 'VALUE', `${kind} needs its parameters`, { expected: 'a mapping' });
    return undefined;
  }
  const { advisory = false, ...own } = given;
  if (typeof advisory !== 'boolean') book.add([...path, kind, 'advisory'], 'VALUE', 'expected true or false');
  const before = book.issues.length;
  const params = check.params.parse(own);
  if (!params.ok) book.addAll(params.issues, [...path, kind]);
  checkReferences(kind, own, [...path, kind], around, book);
  if (!params.ok || book.issues.length > before) return undefined;
  return { check: kind, params: params.value, advisory: advisory === true };
}

/** `of`, `journey` and `invariant` mean the same in every check. */
function checkReferences(
  kind: string,
  own: JsonObject,
  path: (string | number)[],
  around: VerifySurroundings,
  book: IssueBook,
): void {
  const refer = (key: string, known: readonly string[], what: string): void => {
    const name = own[key];
    if (typeof name !== 'string' || known.includes(name)) return;
    book.add([...path, key], 'REFERENCE_UNKNOWN', `there is no ${what} "${name}"`, suggest(name, known));
  };
  refer('of', around.scenarioNames, 'scenario');
  const scenario = around.scenarios.find(({ name }) => name === own.of);
  refer('journey', scenario?.mix.map(({ journey }) => journey) ?? around.stack.journeys, 'journey');
  refer('region', scenario?.regions?.map(({ name }) => name) ?? [], 'region');
  if (!around.stack.known) return;
  refer('invariant', around.stack.invariants, 'invariant');
  if (
    own.rpo !== undefined &&
    scenario !== undefined &&
    !scenario.mix.some(({ journey }) => around.stack.acks.includes(journey))
  ) {
    const message = `no journey of ${scenario.name} has \`acks\` in the stack, so no lost write can be told`;
    book.add([...path, 'rpo'], 'REFERENCE_UNKNOWN', message, { hint: 'say in `acks` which rows answer for a journey' });
  }
  if (kind === 'isolation' && !around.stack.marked) {
    const message = 'the stack has no `marker`, so no leak can be found';
    book.add(path, 'REFERENCE_UNKNOWN', message, { at: 'key', hint: 'say in `marker` where leaked rows would lie' });
  }
}

function warnOfSample(
  { check: kind, params }: CheckSpec,
  index: number,
  around: VerifySurroundings,
  warnings: IssueBook,
): void {
  const check = around.catalogue.checks[kind]!;
  const needed = check.sampleNeeded?.(params);
  const of = check.sampleOf?.(params);
  if (needed === undefined || of === undefined) return;
  const scenario = around.scenarios.find(({ name }) => name === of.scenario);
  if (scenario === undefined) return;
  const expected = expectedSample(scenario, of);
  if (expected === undefined || expected >= needed) return;
  const journeyed = of.journey === undefined ? scenario.name : `${scenario.name}/${of.journey}`;
  const what = of.region === undefined ? journeyed : `${journeyed} from ${of.region}`;
  const message = `${what} starts ${formatCount(expected)} journeys, and ${kind} cannot pass with fewer than ${formatCount(needed)}`;
  const more = moreTimeFor(scenario, of, needed);
  const hint = more === undefined ? undefined : `${formatDuration(more)} more at its last rate would do`;
  warnings.add(['verify', index, kind], 'SAMPLE_TOO_SMALL', message, { hint, at: 'key' });
}

/** `recovery.window`, else the longest rto that is asked for and 10 s. */
export function recoveryWindow(raw: JsonObject, book: IssueBook): number {
  const given = raw.recovery === undefined ? undefined : book.parse(planShape.recovery, raw.recovery, ['recovery']);
  if (given !== undefined) return given.window;
  const list = Array.isArray(raw.verify) ? raw.verify : [];
  const asked = list.flatMap((entry) => {
    const recovery = isObject(entry) ? entry.recovery : undefined;
    const rto = isObject(recovery) ? recovery.rto : undefined;
    return typeof rto === 'string' ? [parseDuration(rto) ?? 0] : [];
  });
  return Math.max(0, ...asked) + 10_000;
}
