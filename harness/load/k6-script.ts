import type { Json, JsonObject } from '../spi/json.ts';
import type { LoadSpec } from '../spi/load.ts';
import type { AnswerCheck, JourneyStep, TakeSpec } from '../spi/stack.ts';
import { type K6Data, NO_DATA } from './k6-data.ts';
import type { K6Plan } from './k6-plan.ts';
import { K6_RUNTIME } from './k6-runtime.ts';
import { jsonExpression, literal, type Naming, textExpression } from './k6-template.ts';
import { mixCycle } from './mix-cycle.ts';
import { chanceRoot } from './start-values.ts';

/** Values that every journey has, made by the script for each start. */
const BUILT_IN = ['n', 'user', 'uuid'];

/**
 * A scenario as a k6 script that means the same. Pure: the same spec, tag and plan give the same text. `tag` is put on
 * every request; `{trace}` and `{span}` in it are drawn per request. `data` is where k6 finds what is too much for a script.
 */
export function compileK6Script(
  spec: LoadSpec,
  tag: Record<string, string>,
  plan: K6Plan,
  data: K6Data = NO_DATA,
): string {
  const { scenario, users, seed } = spec;
  const firstNumber = (spec.firstNumber ?? 0) + scenario.mix.length;
  const phases = Object.fromEntries(
    plan.phases.map(({ name, count, lengthMs, beginsMs, startsBefore, offset, stride, dues }) => {
      const began = dues === undefined ? null : Math.round((beginsMs - plan.beginsMs) * 1000);
      const row = scenario.mix.length + startsBefore;
      return [name, { count: count ?? null, lengthMs, began, first: firstNumber + startsBefore, row, offset, stride }];
    }),
  );
  const scenarios = Object.fromEntries(plan.phases.map(({ name, config }) => [name, config]));
  const names = plan.phases.map(({ name }) => `export const ${name} = () => iterate('${name}');`);
  return script(spec, tag, data, [
    optionsOf(scenarios),
    `const PHASES = ${JSON.stringify(phases)};`,
    `const CYCLE = ${JSON.stringify(mixCycle(scenario.mix.map(({ share }) => share)))};`,
    `${constants(seed, users, spec)}\n${dataOf(data)}`,
    K6_RUNTIME.trim(),
    ...names,
  ]);
}

/** A script that runs each journey of the mix once, one after the other, with the scenario's first numbers. */
export function compileK6Canary(spec: LoadSpec, tag: Record<string, string>, data: K6Data = NO_DATA): string {
  const { scenario, users, seed } = spec;
  const journeys = scenario.mix.flatMap(({ share }, index) => (share > 0 ? [index] : []));
  const canary = { executor: 'per-vu-iterations', vus: 1, iterations: 1, maxDuration: '1h', exec: 'canary' };
  const first = spec.firstNumber ?? 0;
  return script(spec, tag, data, [
    optionsOf({ canary }),
    'const PHASES = {};',
    'const CYCLE = [];',
    `${constants(seed, users, spec)}\n${dataOf(data)}`,
    K6_RUNTIME.trim(),
    `export function canary() {\n  begin();\n  ${JSON.stringify(journeys)}.forEach((j, i) => walk('canary', i, j, ${first} + i, i));\n}`,
  ]);
}

function script(spec: LoadSpec, tag: Record<string, string>, data: K6Data, parts: readonly string[]): string {
  const imports = [
    "import crypto from 'k6/crypto';",
    "import exec from 'k6/execution';",
    "import http from 'k6/http';",
    "import { SharedArray } from 'k6/data';",
    "import { sleep } from 'k6';",
  ];
  const head = `// Scenario ${literal(spec.scenario.name)}, compiled by Seawall.\n${imports.join('\n')}`;
  const [options, phases, cycle, known, runtime, ...rest] = parts;
  const body = [options, phases, cycle, known, journeysOf(spec, data), tagsOf(tag), runtime, ...rest];
  return `${head}\n\n${body.join('\n\n')}\n`;
}

function optionsOf(scenarios: JsonObject): string {
  const options = {
    scenarios,
    userAgent: 'seawall',
    // What k6 itself gathers is read by nobody here; every tag would cost.
    systemTags: ['name', 'status', 'scenario'],
    maxRedirects: 0,
  };
  return `export const options = ${JSON.stringify(options, null, 2)};`;
}

function constants(seed: number, users: { from: number; to: number }, { scenario }: LoadSpec): string {
  return [
    `const SEED = ${literal(chanceRoot({ seed, scenario }))};`,
    `const USERS = ${JSON.stringify(users)};`,
    `const WITHIN_MS = ${scenario.good.withinMs};`,
    `const SHED_EXCLUDED = ${scenario.good.shed === 'excluded'};`,
  ].join('\n');
}

/** What is shared by all users: when starts are due where the script waits for them, and the rows of feeds. */
function dataOf({ dues, feeds }: K6Data): string {
  const shared = (name: string, file: string): string =>
    `new SharedArray(${literal(name)}, () => JSON.parse(open(${literal(file)})))`;
  const entries = Object.entries(feeds).map(([name, { order, count, rows, weights }]) => {
    const row =
      'file' in rows ? `rows: ${shared(`rows of ${name}`, rows.file)}` : `made: (row) => ${madeOf(rows.generate)}`;
    const drawn = weights === undefined ? 'undefined' : shared(`weights of ${name}`, weights);
    return `  ${literal(name)}: { order: ${literal(order)}, count: ${count}, ${row}, weights: ${drawn} },`;
  });
  const dueTimes = dues === undefined ? 'undefined' : shared('due times', dues);
  return `const DUES = ${dueTimes};\nconst FEEDS = {\n${entries.join('\n')}\n};`;
}

/** The cells of a generated row, whose number counts from 1. */
function madeOf(templates: Readonly<Record<string, string>>): string {
  const naming: Naming = (name) => (name === 'row' ? { expression: 'row' } : undefined);
  return `[${Object.values(templates)
    .map((template) => textExpression(template, naming))
    .join(', ')}]`;
}

function tagsOf(tag: Record<string, string>): string {
  const naming: Naming = (name) => (name === 'trace' || name === 'span' ? { expression: name } : undefined);
  const fields = Object.entries(tag).map(([key, value]) => `${literal(key)}: ${textExpression(value, naming)}`);
  return `const tagsOf = (trace, span) => ({ ${fields.join(', ')} });`;
}

function journeysOf(spec: LoadSpec, { feeds }: K6Data): string {
  const journeys = spec.scenario.mix.map(({ journey }) => {
    const steps = spec.scenario.journeys[journey] ?? [];
    const used = new Set<string>();
    const ofFeed: Naming = (name) => {
      const [feed = '', column = ''] = name.split('.', 2);
      const at = feeds[feed]?.columns.indexOf(name.slice(feed.length + 1)) ?? -1;
      if (at < 0 || column === '') return undefined;
      used.add(feed);
      return { expression: `v[${literal(`${feed}.`)}][${at}]` };
    };
    const written = steps.map((step, index) => stepOf(spec, journey, steps, step, index, ofFeed));
    const named = JSON.stringify([...used]);
    return `  {\n    name: ${literal(journey)},\n    feeds: ${named},\n    steps: [\n${written.join('\n')}\n    ],\n  },`;
  });
  return `const JOURNEYS = [\n${journeys.join('\n')}\n];`;
}

function stepOf(
  spec: LoadSpec,
  journey: string,
  steps: readonly JourneyStep[],
  step: JourneyStep,
  index: number,
  ofFeed: Naming,
): string {
  const before = steps.slice(0, index).flatMap(({ take }) => Object.keys(take));
  const naming = namingOf(spec, before, ofFeed);
  const withOwn = namingOf(spec, [...before, ...Object.keys(step.take)], ofFeed);
  const base = spec.target.replace(/\/$/, '');
  const path = step.path.startsWith('/') ? step.path : `/${step.path}`;
  const tags = { name: `${journey} ${step.name}`, journey, step: step.name };
  const fields = {
    name: literal(step.name),
    method: literal(step.method),
    expect: JSON.stringify(step.expect),
    think: JSON.stringify([step.think.fromMs, step.think.toMs]),
    conversion: String(step.conversion),
    tags: JSON.stringify(tags),
    url: `(v) => ${literal(base)} + ${textExpression(path, naming, 'inPath')}`,
    headers: `(v) => (${headersOf(step, naming)})`,
    body: `(v) => ${bodyOf(step, naming)}`,
    take: takesOf(step),
    check: checksOf(step),
    ack: step.ack === undefined ? '() => undefined' : ackOf(step.ack, withOwn),
  };
  const lines = Object.entries(fields).map(([key, value]) => `        ${key}: ${value},`);
  return `      {\n${lines.join('\n')}\n      },`;
}

function namingOf(spec: LoadSpec, taken: readonly string[], ofFeed: Naming): Naming {
  return (name) => {
    if (name === 'run') return { text: spec.runId };
    if (name === 'marker') return { text: spec.marker };
    if (BUILT_IN.includes(name)) return { expression: `v.${name}` };
    return taken.includes(name) ? { expression: `v.${name}` } : ofFeed(name);
  };
}

function headersOf(step: JourneyStep, naming: Naming): string {
  const named = Object.keys(step.headers).some((key) => key.toLowerCase() === 'content-type');
  const isJson = step.body !== undefined && typeof step.body !== 'string';
  const headers = named || !isJson ? step.headers : { 'content-type': 'application/json', ...step.headers };
  const fields = Object.entries(headers).map(
    ([key, value]) => `${literal(key)}: ${textExpression(value, naming, 'inHeader')}`,
  );
  return fields.length === 0 ? '{}' : `{ ${fields.join(', ')} }`;
}

function bodyOf({ body }: JourneyStep, naming: Naming): string {
  if (body === undefined) return 'null';
  if (typeof body === 'string') return textExpression(body, naming);
  return `JSON.stringify(${jsonExpression(body as Json, naming)})`;
}

/** A function that puts what was taken into the values, and says whether all of it was there. */
function takesOf({ take }: JourneyStep): string {
  const takes = Object.entries(take).map(([name, spec]) => `(v.${name} = ${lookUp(spec)}) !== undefined`);
  return takes.length === 0 ? '() => true' : `(answer, v) => ${takes.join(' && ')}`;
}

function checksOf({ checks }: JourneyStep): string {
  return checks.length === 0 ? '() => true' : `(answer) => ${checks.map(checkOf).join(' && ')}`;
}

function checkOf({ of, equals, matches }: AnswerCheck): string {
  // Being there is not being plain: a list of items is there too.
  if (equals === undefined && matches === undefined) {
    return 'json' in of ? `locate(answer, ${keysOf(of.json)}) !== undefined` : `${lookUp(of)} !== undefined`;
  }
  const tests = [
    'value !== undefined',
    ...(equals === undefined ? [] : [`String(value) === ${literal(equals)}`]),
    ...(matches === undefined ? [] : [`pattern(${literal(matches)}).test(String(value).slice(0, SEARCHED_MAX))`]),
  ];
  return `((value) => ${tests.join(' && ')})(${lookUp(of)})`;
}

function lookUp(spec: TakeSpec): string {
  if ('json' in spec) return `json(answer, ${keysOf(spec.json)})`;
  if ('regex' in spec) return `regex(answer, pattern(${literal(spec.regex)}))`;
  if ('header' in spec) return `header(answer, ${literal(spec.header.toLowerCase())})`;
  return `cookie(answer, ${literal(spec.cookie)})`;
}

/** The keys of a JSON pointer (RFC 6901). */
function keysOf(pointer: string): string {
  const keys = pointer.split('/').slice(1);
  return JSON.stringify(keys.map((raw) => raw.replaceAll('~1', '/').replaceAll('~0', '~')));
}

/** The key once every value of it is known. */
function ackOf(ack: string, naming: Naming): string {
  const needed: string[] = [];
  const text = textExpression(ack, (name) => {
    const named = naming(name);
    if (named === undefined) needed.push('undefined');
    else if ('expression' in named) needed.push(named.expression);
    return named;
  });
  if (needed.length === 0) return `() => ${text}`;
  return `(v) => (${needed.map((value) => `${value} === undefined`).join(' || ')} ? undefined : ${text})`;
}
