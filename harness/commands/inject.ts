import { dirname, join } from 'node:path';
import { parse } from 'yaml';
import { HarnessError } from '../core/errors.ts';
import { formatDuration, parseDuration } from '../core/units.ts';
import { experimentText } from '../plan/experiment.ts';
import type { Json, JsonObject } from '../spi/json.ts';
import { EXIT } from './exit.ts';
import { keptNamed, planOf } from './kept.ts';
import { describeIssues, planFromText } from './plan-options.ts';
import { runPlan } from './run.ts';
import { healDeps } from './wiring.ts';

export interface InjectOptions {
  on?: string;
  link?: string;
  node?: string;
  service?: string;
  idc?: string;
  store?: string;
  for: string;
  // With names of their own: faults have parameters called rate and after.
  loadBefore: string;
  loadAfter: string;
  loadRate?: string;
  availability: string;
  printPlan?: boolean;
  out?: string;
  reporter?: string[];
}

/**
 * `seawall inject FAULT`: tries one fault on a stack that is up, under the load of its plan at its first rate. It is a
 * run like any other: same ledger, proofs, journal, report and exit codes. What is no option of its own is a parameter
 * of the fault: `--delay 100ms`, `--one-way`.
 */
export async function injectCommand(kind: string, given: readonly string[], options: InjectOptions): Promise<number> {
  const kept = keptNamed(options.on, healDeps().index);
  const target = targetFrom(options);
  const text = experimentText(kept.planText, planOf(kept), {
    fault: { inject: kind, for: options.for, target, with: paramsFrom(given) },
    holdMs: durationOf('--for', options.for),
    leadMs: durationOf('--load-before', options.loadBefore),
    afterMs: durationOf('--load-after', options.loadAfter),
    availability: options.availability,
    rate: options.loadRate,
  });
  const file = join(dirname(kept.planFile), 'inject.yaml');
  const { plan, warnings } = planFromText(file, text, kept.overrides);
  if (options.printPlan === true) {
    process.stdout.write(text);
    return EXIT.pass;
  }
  if (warnings.length > 0) process.stderr.write(`${describeIssues(warnings, { [file]: text })}\n\n`);
  const { out, reporter } = options;
  return runPlan(plan, text, {
    set: [],
    runtime: 'auto',
    faults: true,
    on: kept.stackId,
    ...(out === undefined ? {} : { out }),
    ...(reporter === undefined ? {} : { reporter }),
  });
}

/** `order:account`, each side one name or several with commas between. */
function targetFrom({ link, node, service, idc, store }: InjectOptions): JsonObject {
  const targets: JsonObject[] = [];
  if (link !== undefined) {
    const [from, to, ...rest] = link.split(':');
    if (from === '' || to === undefined || to === '' || rest.length > 0) {
      throw new HarnessError('USAGE', `--link ${link} is not from:to`, 'For example: --link payment:account');
    }
    targets.push({ link: { from: names(from!), to: names(to) } });
  }
  if (node !== undefined) targets.push({ node });
  if (service !== undefined) targets.push(idc === undefined ? { service } : { service, idc });
  else if (idc !== undefined) targets.push({ idc });
  if (store !== undefined) {
    const [name, role = 'primary'] = store.split(':');
    targets.push({ store: name!, role });
  }
  if (targets.length === 1) return targets[0]!;
  const hint = 'One of --link from:to, --node name, --service name [--idc name], --idc name, --store name:primary';
  throw new HarnessError(
    'USAGE',
    targets.length === 0 ? 'nothing says what to hit' : 'several targets are given',
    hint,
  );
}

function names(list: string): Json {
  return list.includes(',') ? list.split(',') : list;
}

/** `--delay 100ms --one-way` → `{ delay: '100ms', oneWay: true }`: values read as YAML would. */
function paramsFrom(given: readonly string[]): JsonObject {
  const params: JsonObject = {};
  for (let index = 0; index < given.length; index += 1) {
    const [, option, joined] = /^--([a-z][a-z0-9-]*)(?:=(.*))?$/.exec(given[index]!) ?? [];
    if (option === undefined) {
      const hint = 'Parameters of the fault are given as in --delay 100ms; docs/faults.md lists them.';
      throw new HarnessError('USAGE', `${given[index]} is no parameter`, hint);
    }
    const next = given[index + 1];
    const bare = joined === undefined && (next === undefined || next.startsWith('--'));
    if (joined === undefined && !bare) index += 1;
    const key = option.replaceAll(/-([a-z0-9])/g, (_all, letter: string) => letter.toUpperCase());
    params[key] = bare ? true : (parse(joined ?? next!) as Json);
  }
  return params;
}

function durationOf(option: string, text: string): number {
  const ms = parseDuration(text);
  if (ms !== undefined && ms > 0) return ms;
  throw new HarnessError(
    'USAGE',
    `${option} ${text} is no duration`,
    `For example: ${option} ${formatDuration(30_000)}`,
  );
}
