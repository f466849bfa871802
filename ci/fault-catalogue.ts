import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { CUTS_LINK, TAKES_NODE } from '../harness/plan/budget.ts';
import { realWorld } from '../harness/plan/load.ts';
import { layOut } from '../harness/plan/topology.ts';
import { validatePlan } from '../harness/plan/validate.ts';
import { CATALOGUE, FAULT_DRIVERS, FAULTS, PROBES } from '../harness/registry.ts';
import { EVERYWHERE } from '../harness/runtime/powers.ts';
import type { Effect, Fault } from '../harness/spi/fault.ts';
import type { Json, JsonObject } from '../harness/spi/json.ts';
import type { Capabilities, Support } from '../harness/spi/runtime.ts';
import type { Topology } from '../harness/spi/topology.ts';
import { exampleOf, givenOf, rangeOf } from './fault-examples.ts';
import { kindOf } from './plan-reference.ts';

/** What each family breaks, in the order of reading. */
const FAMILIES: readonly [string, string][] = [
  ['network', 'The way between two nodes, services or data centres.'],
  ['idc', 'A whole data centre.'],
  ['process', 'The processes of a node.'],
  ['host', 'What a node’s processes need of their machine.'],
  ['database', 'A store; a role is looked up when the fault fires.'],
  ['cache', 'A cache.'],
  ['messaging', 'A message broker.'],
  ['registry', 'The registry of services.'],
  ['dns', 'The stack’s name resolution.'],
  ['attack', 'Hostile traffic, only ever against the run’s own stack.'],
];

/** Where a plan may run, with all that such a place can have; what a machine has is for `seawall doctor` to say. */
const PLACES: readonly [string, Capabilities][] = [
  ['local, Linux', able('local', 'seawall', [...EVERYWHERE, 'host.stress', 'node.limits'])],
  ['local, macOS', able('local', 'seawall', [...EVERYWHERE])],
  [
    'containers, engine on this Linux, as root',
    able('containers', 'toxiproxy', [...EVERYWHERE, 'host.stress', 'node.groups', 'node.limits', 'link.packets']),
  ],
  ['containers, engine elsewhere', able('containers', 'toxiproxy', [...EVERYWHERE, 'link.packets'])],
  ['existing', { runtime: 'existing', powers: [], proxy: undefined, versions: {} }],
];

function able(runtime: string, engine: 'seawall' | 'toxiproxy', powers: string[]): Capabilities {
  return { runtime, powers, proxy: { engine, version: '' }, versions: {} };
}

const INTRO = `What \`inject:\` takes in a plan, by family. A target is written \`target: { <shape>: … }\`, parameters stand under \`with:\`. Every example is valid on the sample shop (fixtures/stacks/shop.yaml). An effect is what must become true: \`once\` it happens, \`held\` it is a state that lasts, \`acting\` a helper with a deadline of its own keeps doing it. Bite and heal are measured by a process that has no part in the effect, and compared with what was asked; [how](#how-bites-and-heals-are-measured) stands at the end. When faults come, how often, and after what: [plan.md](plan.md) and [below](#faults-put-together).`;

const TOGETHER = `## Faults put together

A fault says when it begins: \`at\` a time, \`at: { between: [40s, 60s] }\` for a moment drawn from the seed, or \`after\` a moment of another fault. \`repeat\` does it again, \`flap\` puts it on and off within its hold (each turn is proved to bite and to heal; quicker than a second: \`network.flapping\`). \`steps\` run one after the other, \`lanes\` side by side; both may hold each other.

\`\`\`yaml
EXAMPLE
\`\`\`

A step begins when its time has come and the one before it is over, that is, proved healed or never injected; it waits for that up to its own hold. A condition that does not come true by its bound (\`within\`, default the recovery window) skips the fault: the verdict is unknown, with the reason. \`seawall explain\` prints every injection with its time, what it waits for, and until when. Overlaps, blast radius, fault budget and the end of the load are checked for the latest turn that each may have.

**A sick system is not hit again.** A fault is skipped when its turn comes and, at 95 %, fewer journeys are good than the steady state asks, judged by the last five seconds known since the last heal; or when a fault before it could not be proved healed. While another fault is in force the plan wants both, and a flap that was begun goes on.

**The fault budget.** By its layout a stack can claim to survive the loss of all members but one of each service and each store, and of all IDCs but one. A plan that can take more at one moment (dead, or out of the users’ reach) is an error unless the guard says \`faultBudget: none\`; what has one member claims nothing, and to take it is a warning. A share of traffic is no limit of the guard: a stack does not say how its services split the traffic, so the worst case of any fault would be all of it.`;

const TOGETHER_EXAMPLE = `faults:
  - { name: flaky, at: 20s, for: 30s, flap: { on: 2s, off: 4s }, inject: network.partition, target: { link: { from: payment-hz-b, to: account-hz-b } } }
  - name: dark
    at: { between: [80s, 90s] }
    for: 20s
    inject: idc.blackout
    target: { idc: hz-a }
  - after: { recovered: dark, delay: 5s, within: 60s }
    lanes:
      databases:
        - { name: primary-dies, for: 5s, inject: database.primary-kill, target: { store: trade-db, role: primary } }
        - wait: 20s
        - { name: slow, for: 10s, inject: network.latency, target: { link: { from: order, to: trade-db } }, with: { delay: 50ms } }
      services:
        - { name: kick, for: 2s, repeat: { times: 3, every: 15s }, inject: process.kill, target: { node: catalog-hz-b } }`;

/** The page without its head: introduction, families, composition, measurements. */
export function faultCatalogue(root: string): string[] {
  const topology = shopTopology(root, TOGETHER_EXAMPLE);
  const families = FAMILIES.flatMap(([family, meaning]) => {
    const own = FAULTS.filter(({ kind }) => kind.startsWith(`${family}.`)).toSorted((a, b) =>
      a.kind < b.kind ? -1 : 1,
    );
    if (own.length === 0) return [];
    return [`## ${family}`, meaning, ...own.flatMap((fault) => faultBlocks(fault, topology, root))];
  });
  const strange = FAULTS.filter(({ kind }) => !FAMILIES.some(([family]) => kind.startsWith(`${family}.`)));
  if (strange.length > 0) throw new Error(`${strange[0]!.kind} is of no family: ci/fault-catalogue.ts`);
  return [
    INTRO,
    overview(topology, root),
    ...families,
    TOGETHER.replace('EXAMPLE', TOGETHER_EXAMPLE),
    ...measurements(root),
  ];
}

/** The sample shop laid out; the plan that it takes for that is the example of faults put together. */
function shopTopology(root: string, faults: string): Topology {
  const file = `${root}/plans/example.yaml`;
  const text = `
plan: example
hypothesis: It stays up.
stack: ../fixtures/stacks/shop.yaml
load: [{ scenario: users, rate: 5/s, for: 400s, mix: { browse: 100% }, good: { within: 1s } }]
${faults}
guard: { blastRadius: { idcs: 2 }, abortWhen: none }
verify: [isolation: { leaks: 0 }]
`;
  const world = { ...realWorld, read: (path: string) => (path === file ? text : realWorld.read(path)) };
  const result = validatePlan(file, {}, CATALOGUE, world);
  if ('plan' in result) return layOut(result.plan.stack);
  const issues = result.issues.map(({ line, message }) => `${line}: ${message}`);
  throw new Error(`the example of faults put together is no valid plan: ${issues.join('; ')}`);
}

function overview(topology: Topology, root: string): string {
  const rows = [...FAULTS]
    .toSorted((a, b) => (a.kind < b.kind ? -1 : 1))
    .map((fault) => {
      const { params, target } = exampleOf(fault, topology, root, CATALOGUE);
      const effects = fault.effects(params, target, topology);
      const cells = PLACES.map(([, capabilities]) => (supportOf(effects, capabilities).ok ? 'yes' : 'no'));
      return `| [\`${fault.kind}\`](#${fault.kind.replaceAll('.', '')}) | ${cells.join(' | ')} |`;
    });
  const heads = PLACES.map(([place]) => place);
  return [`| fault | ${heads.join(' | ')} |`, `| --- |${' --- |'.repeat(heads.length)}`, ...rows].join('\n');
}

function faultBlocks(fault: Fault, topology: Topology, root: string): string[] {
  const example = exampleOf(fault, topology, root, CATALOGUE);
  const effects = fault.effects(example.params, example.target, topology);
  const targets = fault.targets.map((shape) => `\`${shape}\``).join(', ');
  return [
    `### \`${fault.kind}\``,
    fault.summary,
    `Targets: ${targets}.`,
    `\`\`\`yaml\n${example.yaml}\n\`\`\``,
    paramsTable(fault),
    effectsTable(effects),
    placesList(effects),
  ];
}

function paramsTable(fault: Fault): string {
  const schema = fault.params.json();
  const properties = Object.entries((schema.properties ?? {}) as Record<string, JsonObject>);
  if (properties.length === 0) return 'No parameters.';
  const required = (schema.required ?? []) as string[];
  const given = givenOf(fault);
  const rows = properties.map(([name, json]) => {
    const needed = required.includes(name) ? 'required' : fallback(json.default);
    const cells = [
      kindOf(json),
      needed,
      rangeOf(fault, name, json, given),
      typeof json.description === 'string' ? json.description : '',
    ];
    return `| \`${name}\` | ${cells.map(cell).join(' | ')} |`;
  });
  return ['| parameter | kind | default | range | meaning |', '| --- | --- | --- | --- | --- |', ...rows].join('\n');
}

function fallback(value: Json | undefined): string {
  if (value === undefined) return '';
  return `\`${typeof value === 'string' ? value : JSON.stringify(value)}\``;
}

function effectsTable(effects: readonly Effect[]): string {
  const rows = effects.map(({ kind, mode, undo, bite, heal }) => {
    const gone = TAKES_NODE.includes(kind) ? 'the node' : CUTS_LINK.includes(kind) ? 'the link' : '';
    return `| \`${kind}\` | ${mode} | ${undo} | \`${bite.kind}\` | \`${heal.kind}\` | ${gone} |`;
  });
  const head = [
    '| effect | mode | undone by | bite proved by | heal proved by | gone meanwhile |',
    '| --- | --- | --- | --- | --- | --- |',
  ];
  return [...head, ...new Set(rows)].join('\n');
}

/** Places that have the same to say share a line. */
function placesList(effects: readonly Effect[]): string {
  const said = PLACES.map(([place, capabilities]): [string, string] => [place, supportText(effects, capabilities)]);
  const groups = Map.groupBy(said, ([, text]) => text);
  return [...groups].map(([text, places]) => `- ${places.map(([place]) => place).join('; ')}: ${text}`).join('\n');
}

function supportText(effects: readonly Effect[], capabilities: Capabilities): string {
  const support = supportOf(effects, capabilities);
  if (!support.ok) return `no. ${sentence(support.reason)} ${sentence(support.hint)}`.trim();
  const notes = support.notes.map((note) => ` ${sentence(note)}`).join('');
  return `yes, by ${support.drivers.map((name) => `\`${name}\``).join(' and ')}.${notes}`;
}

/** As in compiling: the first driver that accepts makes an effect true; else what those that know it say. */
function supportOf(
  effects: readonly Effect[],
  capabilities: Capabilities,
): { ok: true; drivers: string[]; notes: string[] } | { ok: false; reason: string; hint: string } {
  const drivers = new Set<string>();
  const notes = new Set<string>();
  for (const effect of effects) {
    const answers = FAULT_DRIVERS.map((driver) => ({ driver, support: driver.accepts(effect, capabilities) }));
    const chosen = answers.find(({ support }) => support?.ok);
    if (chosen?.support?.ok === true) {
      drivers.add(chosen.driver.name);
      if (chosen.support.note !== undefined) notes.add(chosen.support.note);
      continue;
    }
    const refusal = answers.map(({ support }) => support).find(isRefusal);
    return { ok: false, reason: refusal?.reason ?? `${effect.kind}: no driver`, hint: refusal?.hint ?? '' };
  }
  return { ok: true, drivers: [...drivers], notes: [...notes] };
}

const isRefusal = (support: Support | undefined): support is Extract<Support, { ok: false }> => support?.ok === false;

/** What each probe says of itself where it is written. */
function measurements(root: string): string[] {
  const folder = join(root, 'harness/observe/probes');
  const texts = readdirSync(folder)
    .filter((file) => file.endsWith('.ts') && !file.endsWith('.test.ts'))
    .map((file) => readFileSync(join(folder, file), 'utf8'));
  const pattern = /\/\*\*((?:(?!\*\/)[\s\S])*)\*\/\s*export const \w+: Probe = \{\s*kind: '([^']+)'/g;
  const meanings = new Map(
    texts.flatMap((text) =>
      [...text.matchAll(pattern)].map(([, comment, kind]): [string, string] => [kind!, comment!]),
    ),
  );
  const silent = [...PROBES.keys()].filter((kind) => !meanings.has(kind));
  if (silent.length > 0) throw new Error(`${silent.join(', ')}: a probe must say above itself what it measures`);
  const rows = [...PROBES.keys()]
    .toSorted()
    .map((kind) => `| \`${kind}\` | ${cell(meanings.get(kind)!.replaceAll(/^\s*\*/gm, ''))} |`);
  return ['## How bites and heals are measured', ['| probe | what it measures |', '| --- | --- |', ...rows].join('\n')];
}

function sentence(text: string): string {
  const trimmed = cell(text);
  if (trimmed === '') return '';
  return `${trimmed[0]!.toUpperCase()}${trimmed.slice(1)}${/[.!?]$/.test(trimmed) ? '' : '.'}`;
}

function cell(text: string): string {
  return text.replaceAll('|', '\\|').replaceAll(/\s+/g, ' ').trim();
}
