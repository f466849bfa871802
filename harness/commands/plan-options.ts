import { existsSync, readFileSync } from 'node:fs';
import { relative } from 'node:path';
import { HarnessError } from '../core/errors.ts';
import { compile } from '../plan/compile.ts';
import { formatIssue, type Issue } from '../plan/issue.ts';
import { realWorld } from '../plan/load.ts';
import { validatePlan } from '../plan/validate.ts';
import { CATALOGUE, FAULT_DRIVERS, LOAD_DRIVERS, RUNTIMES } from '../registry.ts';
import type { Plan } from '../spi/plan.ts';
import type { Capabilities, RuntimeDriver } from '../spi/runtime.ts';
import type { Timeline } from '../spi/timeline.ts';

const DETECT_DEADLINE_MS = 20_000;

/** What every verb that takes a plan accepts. */
export interface PlanOptions {
  set: string[];
  seed?: string;
  runtime: 'auto' | 'local' | 'containers' | 'existing';
}

/** The issues of a wrong plan, all at once, as the user reads them. */
export class PlanIssues extends Error {
  readonly text: string;

  constructor(issues: readonly Issue[], texts: Readonly<Record<string, string>> = {}) {
    super(`${issues.length} issues`);
    this.text = `${describeIssues(issues, texts)}\n${issues.length === 1 ? '1 issue' : `${issues.length} issues`}\n`;
  }
}

/** `texts` holds what is in no file: by the name that its issues have. */
export function describeIssues(issues: readonly Issue[], texts: Readonly<Record<string, string>> = {}): string {
  const sources = new Map<string, string>(Object.entries(texts));
  const source = (file: string): string => {
    // A file that could not be read is an issue itself, with no line to show.
    const known = sources.get(file) ?? (existsSync(file) ? readFileSync(file, 'utf8') : '');
    sources.set(file, known);
    return known;
  };
  return issues.map((issue) => formatIssue({ ...issue, file: shown(issue.file) }, source(issue.file))).join('\n\n');
}

/** A path as short as it can be said from here. */
export function shown(path: string): string {
  const short = relative(process.cwd(), path);
  return short === '' || short.startsWith('..') ? path : short;
}

export function loadPlan(file: string, options: PlanOptions): { plan: Plan; warnings: readonly Issue[] } {
  const overrides = parseOverrides(options.set);
  const result = validatePlan(file, overrides, CATALOGUE);
  if ('issues' in result) throw new PlanIssues(result.issues);
  // The same object goes on: what is known about it (its secrets) is known by its identity.
  if (options.seed !== undefined) result.plan.seed = parseSeed(options.seed);
  return result;
}

/** A plan that is in no file; paths in it are relative to where `file` would lie. Throws PlanIssues. */
export function planFromText(file: string, text: string, overrides: Readonly<Record<string, string>> = {}) {
  const world = {
    ...realWorld,
    read: (path: string) => (path === file ? text : realWorld.read(path)),
    exists: (path: string) => path === file || realWorld.exists(path),
  };
  const result = validatePlan(file, overrides, CATALOGUE, world);
  if ('issues' in result) throw new PlanIssues(result.issues, { [file]: text });
  return result;
}

export interface Chosen {
  driver: RuntimeDriver;
  capabilities: Capabilities;
  timeline: Timeline;
  /** Which runtime and why, in one line. */
  why: string;
}

/** Picks the runtime, asks it what it can do, and compiles the plan against that. */
export async function chooseAndCompile(plan: Plan, options: PlanOptions): Promise<Chosen> {
  const { name, why } = await chooseRuntime(plan, options);
  const driver = RUNTIMES.find((runtime) => runtime.name === name)!;
  const detected = await driver.detect(AbortSignal.timeout(DETECT_DEADLINE_MS));
  if (!detected.ok) throw new HarnessError('RUNTIME_UNSUPPORTED', `runtime ${name}: ${detected.reason}`, detected.hint);
  const timeline = compile(plan, detected.capabilities, plan.seed, CATALOGUE, {
    fault: FAULT_DRIVERS,
    load: LOAD_DRIVERS,
  });
  return { driver, capabilities: detected.capabilities, timeline, why };
}

async function chooseRuntime(plan: Plan, options: PlanOptions): Promise<{ name: string; why: string }> {
  if (options.runtime !== 'auto') return { name: options.runtime, why: 'asked for by --runtime' };
  if (Object.keys(plan.stack.existing).length > 0)
    return { name: 'existing', why: 'the plan attaches to what already runs' };
  if (plan.runtime === 'local') return { name: 'local', why: 'asked for by the plan' };
  if (plan.runtime === 'containers') {
    const detected = await RUNTIMES.find((runtime) => runtime.name === 'containers')?.detect(
      AbortSignal.timeout(DETECT_DEADLINE_MS),
    );
    if (detected?.ok === true) return { name: 'containers', why: 'asked for by the plan, and an engine answers' };
    return {
      name: 'local',
      why: `the plan asks for containers, but ${detected?.reason ?? 'this build has no such driver'}`,
    };
  }
  return { name: 'local', why: 'the plan asks for no containers' };
}

/** What `--set` says, by variable. */
export function parseOverrides(set: readonly string[]): Record<string, string> {
  const pairs = set.map((text) => {
    const at = text.indexOf('=');
    if (at < 1) throw new HarnessError('USAGE', `--set ${text} is not name=value`, 'For example: --set peak=25/s');
    return [text.slice(0, at), text.slice(at + 1)] as const;
  });
  return Object.fromEntries(pairs);
}

export function parseSeed(text: string): number {
  const seed = Number(text);
  if (Number.isSafeInteger(seed) && seed >= 0) return seed;
  throw new HarnessError('USAGE', `--seed ${text} is not a whole number from 0 on`, 'For example: --seed 20261111');
}
