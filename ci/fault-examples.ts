import type { Catalogue } from '../harness/plan/catalogue.ts';
import { type LoadWorld, realWorld } from '../harness/plan/load.ts';
import { validatePlan } from '../harness/plan/validate.ts';
import type { Fault } from '../harness/spi/fault.ts';
import type { Json, JsonObject } from '../harness/spi/json.ts';
import type { Target } from '../harness/spi/plan.ts';
import type { Topology } from '../harness/spi/topology.ts';
import { kindOf } from './plan-reference.ts';

/** How a fault is written in a plan on the sample shop, in one line of YAML that was validated. */
export interface FaultExample {
  yaml: string;
  target: Target;
  params: JsonObject;
}

/** Targets on the sample shop, by shape; the first that a fault can act on is shown. */
const TARGETS: Readonly<Record<Fault['targets'][number], [string, Target][]>> = {
  node: [['{ node: payment-hz-a }', { node: 'payment-hz-a' }]],
  service: [['{ service: payment, idc: hz-a }', { service: 'payment', idc: 'hz-a' }]],
  idc: [['{ idc: hz-a }', { idc: 'hz-a' }]],
  store: [
    ['{ store: trade-db, role: primary }', { store: 'trade-db', role: 'primary' }],
    ['{ store: trade-db, role: standby }', { store: 'trade-db', role: 'standby' }],
  ],
  link: [
    ['{ link: { from: order, to: trade-db } }', { link: { from: ['order'], to: ['trade-db'] } }],
    ['{ link: { from: hz-a, to: hz-b } }', { link: { from: ['hz-a'], to: ['hz-b'] } }],
  ],
};

/** Values that a required parameter of a kind is tried with, in this order. */
const VALUES: Readonly<Record<string, readonly Json[]>> = {
  duration: ['100ms', '500ms', '2s', '10s', '20ms', '1ms', '60s'],
  rate: ['5/s', '1/s', '100/s'],
  percentage: ['10%', '50%'],
  size: ['1KB', '64B', '64KB', '64MB', '1GB'],
  bandwidth: ['100KB/s', '1MB/s'],
  'whole number': [1, 2, 5, 10, 100],
  number: [0.5, 1, 2, 5, 10],
  'true or false': [true],
  text: ['orders'],
};

/** Makes an example from the fault's own schema and has it validated. Throws when none of the tries is valid. */
export function exampleOf(fault: Fault, topology: Topology, root: string, catalogue: Catalogue): FaultExample {
  const tried = fault.targets.flatMap((shape) => TARGETS[shape]);
  for (const given of paramTries(fault)) {
    const parsed = fault.params.parse(given);
    if (!parsed.ok) continue;
    const found = tried.find(([, target]) => acts(fault, parsed.value, target, topology));
    if (found === undefined) break;
    const yaml = lineOf(fault, found[0], given);
    validate(yaml, root, catalogue);
    return { yaml, target: found[1], params: parsed.value };
  }
  throw new Error(`no example of ${fault.kind} is valid: give ci/fault-examples.ts a value or a target that it takes`);
}

function* paramTries(fault: Fault): Generator<JsonObject> {
  const schema = fault.params.json();
  const required = (schema.required ?? []) as string[];
  const properties = (schema.properties ?? {}) as Record<string, JsonObject>;
  const values = required.map((name) => valuesFor(properties[name] ?? {}));
  const counts = values.reduce((total, { length }) => total * Math.max(1, length), 1);
  for (let index = 0; index < counts; index++) {
    let rest = index;
    const entries = required.map((name, at): [string, Json] => {
      const own = values[at]!;
      const value = own[rest % own.length] ?? null;
      rest = Math.floor(rest / Math.max(1, own.length));
      return [name, value];
    });
    yield Object.fromEntries(entries);
  }
}

function valuesFor(json: JsonObject): readonly Json[] {
  return Array.isArray(json.enum) ? json.enum : (VALUES[kindOf(json)] ?? []);
}

function acts(fault: Fault, params: JsonObject, target: Target, topology: Topology): boolean {
  try {
    return fault.effects(params, target, topology).length > 0;
  } catch {
    // It takes another target: that is what trying is for.
    return false;
  }
}

function lineOf({ kind }: Fault, target: string, given: JsonObject): string {
  const pairs = Object.entries(given).map(
    ([name, value]) => `${name}: ${typeof value === 'string' ? value : JSON.stringify(value)}`,
  );
  const params = pairs.length === 0 ? '' : `, with: { ${pairs.join(', ')} }`;
  return `- { name: ${kind.replaceAll('.', '-')}, at: 20s, for: 10s, inject: ${kind}, target: ${target}${params} }`;
}

function validate(yaml: string, root: string, catalogue: Catalogue): void {
  const text = `
plan: example
hypothesis: It stays up.
stack: ../fixtures/stacks/shop.yaml
load: [{ scenario: users, rate: 5/s, for: 60s, mix: { browse: 100% }, good: { within: 1s } }]
faults:
  ${yaml}
guard: none
verify: [isolation: { leaks: 0 }]
`;
  const file = `${root}/plans/example.yaml`;
  const world: LoadWorld = { ...realWorld, read: (path) => (path === file ? text : realWorld.read(path)) };
  const result = validatePlan(file, {}, catalogue, world);
  if ('issues' in result) {
    const issues = result.issues.map(({ message, hint = '' }) => `${message} ${hint}`.trim());
    throw new Error(`the example is no valid plan: ${yaml}: ${issues.join('; ')}`);
  }
}

/** Values that are far too small and far too large, by kind: what a parameter says of them tells its range. */
const EXTREMES: Readonly<Record<string, readonly string[]>> = {
  duration: ['0ms', '99999h'],
  rate: ['0/s', '999999M/s'],
  percentage: ['0%', '100%'],
  size: ['0B', '999999GB'],
  bandwidth: ['0KB/s', '999999Gbit/s'],
};

/** In words of the schema's own: `1 to 64`, or what it answers to values that are out of its range. */
export function rangeOf(fault: Fault, name: string, json: JsonObject, given: JsonObject): string {
  const { minimum, maximum } = json;
  const from = typeof minimum === 'number' ? String(minimum) : undefined;
  const to = typeof maximum === 'number' ? String(maximum) : undefined;
  if (from !== undefined && to !== undefined) return `${from} to ${to}`;
  if (from !== undefined) return `at least ${from}`;
  if (to !== undefined) return `at most ${to}`;
  const said = (EXTREMES[kindOf(json)] ?? []).flatMap((value) => {
    const parsed = fault.params.parse({ ...given, [name]: value });
    return parsed.ok ? [] : parsed.issues.filter(({ path }) => path[0] === name).map(({ message }) => message);
  });
  return [...new Set(said)].map((message) => message.replace(/^expected /, '')).join('; ');
}

/** The parameters as a plan writes them, of the example. */
export function givenOf(fault: Fault): JsonObject {
  for (const given of paramTries(fault)) if (fault.params.parse(given).ok) return given;
  return {};
}
