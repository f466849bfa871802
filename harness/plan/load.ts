import { existsSync, readFileSync } from 'node:fs';
import { dirname, resolve } from 'node:path';
import { messageOf } from '../core/errors.ts';
import type { Json, JsonObject } from '../spi/json.ts';
import { type Path, type PlanDocument, readDocument } from './document.ts';
import { type FillScope, fill, overrideValue, type VariableValue } from './fill.ts';
import { didYouMean, type Issue } from './issue.ts';

/** A plan and its stack as written, every `${…}` filled in, nothing checked yet but that it can be read. */
export interface LoadedPlan {
  plan: PlanDocument;
  /** Undefined when the plan names none that can be read: `issues` says why. */
  stack: PlanDocument | undefined;
  /** Absolute path of the stack file; undefined for a stack written inside the plan. */
  stackFile: string | undefined;
  /** What paths in the stack are relative to. */
  stackFolder: string;
  issues: Issue[];
  warnings: Issue[];
  /** Values that came from `${env:…}`. */
  secrets: readonly string[];
}

/** How the loader sees the outside world; injected in tests. */
export interface LoadWorld {
  read(file: string): string;
  exists(file: string): boolean;
  /** The same as `read`, for files that are large or may be no text. Default: what `read` gives. */
  bytes?(file: string): Uint8Array;
  environment: Readonly<Record<string, string | undefined>>;
}

export const realWorld: LoadWorld = {
  read: (file) => readFileSync(file, 'utf8'),
  exists: existsSync,
  bytes: (file) => readFileSync(file),
  environment: process.env,
};

export function bytesOf(world: LoadWorld, file: string): Uint8Array {
  return world.bytes?.(file) ?? Buffer.from(world.read(file));
}

/**
 * Reads a plan and the stack it names. `overrides` are those of `--set`: they win over the plan's `vars`, which win over
 * the stack's. Never throws for anything that a file may hold; without a readable plan there is no `loaded`.
 */
export function loadPlan(
  file: string,
  overrides: Readonly<Record<string, string>>,
  world: LoadWorld = realWorld,
): { loaded: LoadedPlan | undefined; issues: Issue[] } {
  const absolute = resolve(file);
  const { document: plan, issues } = readFile(absolute, world);
  if (plan === undefined) return { loaded: undefined, issues };
  if (!isObject(plan.value)) return { loaded: undefined, issues: [plan.issue([], 'VALUE', 'a plan is a mapping')] };

  const secrets = new Set<string>();
  const found: Issue[] = [];
  const variables = new Variables(overrides, world.environment, secrets, found);
  variables.declare(plan);
  const filledPlan = variables.fillIn(plan, undefined);
  const stack = findStack(plan, filledPlan.stack, absolute, world, found);
  if (stack.document !== undefined) {
    variables.declare(stack.document);
    stack.document.value = variables.fillIn(stack.document, stack.document);
  }
  plan.value = filledPlan;
  variables.checkOverrides(plan);
  return {
    loaded: {
      plan,
      stack: stack.document,
      stackFile: stack.file,
      stackFolder: dirname(stack.file ?? absolute),
      issues: found,
      warnings: stack.document === undefined ? [] : variables.unused(plan),
      secrets: [...secrets],
    },
    issues: [],
  };
}

function readFile(file: string, world: LoadWorld): { document: PlanDocument | undefined; issues: Issue[] } {
  try {
    return readDocument(file, world.read(file));
  } catch (thrown) {
    const message = `cannot be read: ${messageOf(thrown)}`;
    return { document: undefined, issues: [{ file, line: 1, column: 1, path: [], code: 'FILE_UNREADABLE', message }] };
  }
}

function findStack(
  plan: PlanDocument,
  named: Json | undefined,
  planFile: string,
  world: LoadWorld,
  issues: Issue[],
): { document: PlanDocument | undefined; file: string | undefined } {
  // What the stack's own variables fill in must still be there: an inline stack is taken as it was written.
  const written = (plan.value as JsonObject).stack;
  if (isObject(written)) return { document: plan.below(['stack'], written), file: undefined };
  if (typeof named !== 'string' || named === '') {
    const expected = 'the path of a stack file, or a mapping in the stack language';
    issues.push(plan.issue(['stack'], 'VALUE', 'the plan names no stack', { expected }));
    return { document: undefined, file: undefined };
  }
  const file = resolve(dirname(planFile), named);
  if (!world.exists(file)) {
    issues.push(plan.issue(['stack'], 'FILE_UNREADABLE', `there is no stack file ${named}`));
    return { document: undefined, file };
  }
  const read = readFile(file, world);
  issues.push(...read.issues);
  if (read.document !== undefined && !isObject(read.document.value)) {
    issues.push(read.document.issue([], 'VALUE', 'a stack is a mapping'));
    return { document: undefined, file };
  }
  return { document: read.document, file };
}

/** The plan's variables over the stack's, with `--set` over both. */
class Variables {
  #values = new Map<string, VariableValue>();
  #overrides: ReadonlyMap<string, VariableValue>;
  #environment: LoadWorld['environment'];
  #secrets: Set<string>;
  #issues: Issue[];
  #used = new Set<string>();

  constructor(
    overrides: Readonly<Record<string, string>>,
    environment: LoadWorld['environment'],
    secrets: Set<string>,
    issues: Issue[],
  ) {
    this.#overrides = new Map(Object.entries(overrides).map(([name, text]) => [name, overrideValue(text)]));
    this.#environment = environment;
    this.#secrets = secrets;
    this.#issues = issues;
  }

  /** Takes in a document's `vars`; those known already win. A variable's own value may hold `${env:…}` only. */
  declare(document: PlanDocument): void {
    const declared = (document.value as JsonObject).vars;
    if (!isObject(declared)) return;
    for (const [name, raw] of Object.entries(declared)) {
      if (this.#values.has(name)) continue;
      const given = this.#overrides.get(name);
      const value = given ?? fill(raw, ['vars', name], this.#scope(document, new Map()));
      if (isVariable(value)) this.#values.set(name, value);
    }
  }

  /** The document with everything but its `vars` filled; an inline stack inside a plan is left for its own turn. */
  fillIn(document: PlanDocument, stack: PlanDocument | undefined): JsonObject {
    const scope = this.#scope(document, this.#values);
    const entries = Object.entries(document.value as JsonObject).map(([key, value]): [string, Json] => {
      const later = key === 'vars' || (stack === undefined && key === 'stack' && isObject(value));
      return [key, later ? value : fill(value, [key], scope)];
    });
    return Object.fromEntries(entries);
  }

  checkOverrides(plan: PlanDocument): void {
    const known = [...this.#values.keys()];
    for (const name of this.#overrides.keys()) {
      if (this.#values.has(name)) continue;
      const message = `--set ${name}: neither the plan nor its stack has a variable of that name`;
      this.#issues.push(plan.issue(['vars'], 'VARIABLE_UNKNOWN', message, { at: 'key', ...suggest(name, known) }));
    }
  }

  unused(plan: PlanDocument): Issue[] {
    const declared = (plan.value as JsonObject).vars;
    return (isObject(declared) ? Object.keys(declared) : [])
      .filter((name) => !this.#used.has(name))
      .map((name) =>
        plan.issue(['vars', name], 'VARIABLE_UNUSED', `the variable ${name} is used nowhere`, { at: 'key' }),
      );
  }

  #scope(document: PlanDocument, variables: ReadonlyMap<string, VariableValue>): FillScope {
    return {
      variables,
      environment: this.#environment,
      used: this.#used,
      secrets: this.#secrets,
      unknown: (path: Path, name: string) => {
        const inEnvironment = name.startsWith('env:');
        const message = inEnvironment
          ? `the environment variable ${name.slice('env:'.length)} is not set`
          : `there is no variable ${name}`;
        const more = inEnvironment ? {} : suggest(name, [...variables.keys()]);
        this.#issues.push(document.issue(path, 'VARIABLE_UNKNOWN', message, more));
      },
    };
  }
}

/** The fields of an issue that tell what there is to choose from, and which was probably meant. */
export function suggest(word: string, known: readonly string[]): { expected?: string; hint?: string } {
  if (known.length === 0) return {};
  const meant = didYouMean(word, known);
  const listed = known.length > 20 ? [...known.slice(0, 20), '…'] : known;
  return {
    expected: known.length === 1 ? known[0]! : `one of ${listed.join(', ')}`,
    ...(meant === undefined ? {} : { hint: `did you mean "${meant}"?` }),
  };
}

export function isObject(value: Json | undefined): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function isVariable(value: Json): value is VariableValue {
  return typeof value === 'string' || typeof value === 'number' || typeof value === 'boolean';
}
