import { dirname, resolve } from 'node:path';
import type { z } from 'zod';
import type { JsonObject } from '../spi/json.ts';
import type { Plan } from '../spi/plan.ts';
import type { Stack } from '../spi/stack.ts';
import type { Catalogue } from './catalogue.ts';
import { checkFaults } from './check-faults.ts';
import { checkLoad, checkProxies } from './check-load.ts';
import { checkHosts, checkStack, type StackNames } from './check-stack.ts';
import { checkVerify, recoveryWindow } from './check-verify.ts';
import type { Issue } from './issue.ts';
import { type LoadedPlan, type LoadWorld, loadPlan, realWorld } from './load.ts';
import { IssueBook } from './parts.ts';
import { planShape } from './schema.ts';
import { maskSecrets, rememberSecrets } from './secrets.ts';
import { layOut } from './topology.ts';

export type Validated = { plan: Plan; warnings: Issue[] } | { issues: Issue[] };

/**
 * Reads and checks a plan with its stack. Every issue is found at once, in the order of the files; nothing is started.
 * `overrides` are those of `--set`. Throws only for a defect of ours.
 */
export function validatePlan(
  file: string,
  overrides: Readonly<Record<string, string>>,
  catalogue: Catalogue,
  world: LoadWorld = realWorld,
): Validated {
  const { loaded, issues } = loadPlan(file, overrides, world);
  if (loaded === undefined) return { issues };
  const found = checkStack(loaded, world);
  const plan = checkPlan(resolve(file), loaded, found, { catalogue, world });
  if (loaded.issues.length > 0 || plan === undefined) {
    return { issues: masked(inOrder(loaded.issues, loaded.plan.file), loaded.secrets) };
  }
  rememberSecrets(plan, loaded.secrets);
  return { plan, warnings: masked(inOrder(loaded.warnings, loaded.plan.file), loaded.secrets) };
}

function checkPlan(
  file: string,
  loaded: LoadedPlan,
  { stack, names }: { stack: Stack | undefined; names: StackNames },
  { catalogue, world }: { catalogue: Catalogue; world: LoadWorld },
): Plan | undefined {
  const book = new IssueBook(loaded.plan, loaded.issues);
  const raw = loaded.plan.value as JsonObject;
  book.unknownKeys(planShape, raw);
  const head = checkHead(raw, book);
  const steadyMs = head?.steadyState.forMs ?? 0;
  const load = checkLoad(
    raw,
    { stack, known: names, steadyMs, folder: dirname(file), world, recording: catalogue.recording },
    book,
  );
  const recoveryWindowMs = recoveryWindow(raw, book);
  const around = {
    topology: stack === undefined ? undefined : layOut(stack),
    entry: stack?.entry ?? '',
    loadMs: load.loadMs,
    recoveryWindowMs,
    scenarioNames: load.names,
    catalogue,
  };
  const warnings = new IssueBook(loaded.plan, loaded.warnings);
  const { faults, guard } = checkFaults(raw, around, book, warnings);
  const verifyAround = { catalogue, stack: names, scenarioNames: load.names, scenarios: load.scenarios };
  const verify = checkVerify(raw, verifyAround, book, warnings);
  if (stack === undefined || loaded.stack === undefined || head === undefined) return undefined;
  checkHosts(stack, head.allowHosts, new IssueBook(loaded.stack, loaded.issues));
  checkProxies(load.scenarios, head.allowHosts, book);
  return { ...head, file, stack, load: load.scenarios, faults, guard, verify, recoveryWindowMs };
}

function checkHead(raw: JsonObject, book: IssueBook) {
  const part = <K extends keyof typeof planShape>(key: K) =>
    book.parse(planShape[key] as unknown as z.ZodType<z.output<(typeof planShape)[K]>>, raw[key], [key]);
  const [name, hypothesis, seed, allowHosts] = [part('plan'), part('hypothesis'), part('seed'), part('allowHosts')];
  const [runtime, proxy, steady] = [part('runtime'), part('proxy'), part('steadyState')];
  part('vars');
  if (steady !== undefined && steady.for < 1000) {
    const expected = 'at least 1s, since load is counted by the second';
    book.add(['steadyState', 'for'], 'VALUE', 'the steady state must be seen for some time', { expected });
  }
  if (name === undefined || hypothesis === undefined || seed === undefined || allowHosts === undefined)
    return undefined;
  if (runtime === undefined || steady === undefined) return undefined;
  const steadyState = { forMs: steady.for, goodRatio: steady.good, p99Ms: steady.p99 };
  return { name, hypothesis, seed, allowHosts, runtime, proxy, steadyState };
}

/** Messages quote what was written, and by now that may be what the environment said. */
function masked(issues: readonly Issue[], secrets: readonly string[]): Issue[] {
  return issues.map((issue) => ({
    ...issue,
    message: maskSecrets(issue.message, secrets),
    ...(issue.hint === undefined ? {} : { hint: maskSecrets(issue.hint, secrets) }),
    ...(issue.expected === undefined ? {} : { expected: maskSecrets(issue.expected, secrets) }),
  }));
}

/** The plan's own first, then its stack's, each from top to bottom. */
function inOrder(issues: readonly Issue[], planFile: string): Issue[] {
  const rank = (issue: Issue): number => (issue.file === planFile ? 0 : 1);
  const sorted = issues.toSorted((a, b) => rank(a) - rank(b) || a.line - b.line || a.column - b.column);
  const placeOf = ({ file, line, column }: Issue): string => `${file}:${line}:${column}`;
  // What stands where a variable has no value is wrong only because of that.
  const unfilled = new Set(issues.filter(({ code }) => code === 'VARIABLE_UNKNOWN').map(placeOf));
  const seen = new Set<string>();
  return sorted.filter((issue) => {
    const key = `${placeOf(issue)} ${issue.message}`;
    if (seen.has(key) || (issue.code !== 'VARIABLE_UNKNOWN' && unfilled.has(placeOf(issue)))) return false;
    seen.add(key);
    return true;
  });
}
