/**
 * Writes the files that come from the code: the plan's JSON Schema, the references of errors and faults, the index of
 * plans. `--check` writes nothing and fails when one of them is not what the code says.
 *
 *   node ci/generate.ts [--check]
 */
import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { parse } from 'yaml';
import { messageOf } from '../harness/core/errors.ts';
import type { JsonObject } from '../harness/spi/json.ts';

const ROOT = dirname(import.meta.dirname);

/** A generated file: where it goes, what it is made of, and how. */
interface Part {
  file: string;
  from: string;
  make(): Promise<string>;
}

const PARTS: Part[] = [
  { file: 'plans/plan.schema.json', from: 'harness/plan/schema.ts and harness/registry.ts', make: planSchema },
  { file: 'docs/plan.md', from: 'harness/plan/schema.ts and harness/registry.ts', make: planReference },
  { file: 'docs/errors.md', from: 'harness/core/errors.ts', make: errorReference },
  { file: 'docs/faults.md', from: 'harness/registry.ts and harness/observe/probes', make: faultReference },
  { file: 'plans/README.md', from: 'plans/*.yaml', make: planIndex },
];

async function planSchema(): Promise<string> {
  const { planJsonSchema } = await import('../harness/plan/schema.ts');
  const { CATALOGUE } = await import('../harness/registry.ts');
  return `${JSON.stringify(planJsonSchema(CATALOGUE), null, 2)}\n`;
}

/** The parts of the language that have a page's section of their own, in the order of reading. */
const SECTIONS: readonly [string, RegExp][] = [
  ['The plan', /^(?!load|faults|guard|verify|stack)/],
  ['Load', /^load\b/],
  ['Faults and guard', /^(faults|guard)\b/],
  ['Checks', /^verify\b/],
  ['The stack', /^stack\b/],
];

async function planReference(): Promise<string> {
  const { planJsonSchema } = await import('../harness/plan/schema.ts');
  const { CATALOGUE } = await import('../harness/registry.ts');
  const { referenceRows, referenceTable } = await import('./plan-reference.ts');
  const rows = referenceRows(withFaultsInPlace(planJsonSchema(CATALOGUE)));
  const intro =
    'Every key of a plan and of its stack. `a[].b` is key `b` of each item of the list `a`, `a.*` each entry of the mapping `a`. A duration is written `150ms`, `2s`, `5m`, `1h`; a rate `250/s`, `2k/s`; a percentage `99.9%`. Wherever a value has a shape, a variable of `vars` may stand in its place. What is required “of its kind” is so where the keys beside it are there. Parameters of faults: [faults.md](faults.md).';
  const sections = SECTIONS.map(([title, belongs]) => {
    const own = rows.filter(({ path }) => belongs.test(path) && !path.startsWith('faults[].with.'));
    return `## ${title}\n\n${referenceTable(own)}`;
  });
  return page('The plan language', 'harness/plan/schema.ts and harness/registry.ts', [intro, ...sections]);
}

/** Faults are a definition of the schema, since groups hold them again; in the reference they stand where they are used. */
function withFaultsInPlace(schema: JsonObject): JsonObject {
  const { faultItem } = schema.definitions as Record<string, JsonObject>;
  const properties = schema.properties as Record<string, JsonObject>;
  return { ...schema, properties: { ...properties, faults: { ...properties.faults, items: faultItem ?? {} } } };
}

async function errorReference(): Promise<string> {
  const { ERROR_CODES } = await import('../harness/core/errors.ts');
  const rows = Object.entries(ERROR_CODES).map(([code, meaning]) => `| \`${code}\` | ${cell(meaning)} |`);
  const intro = 'Every code that Seawall can end with. The message beside it tells the case, the hint what to do next.';
  return page('Errors', 'harness/core/errors.ts', [intro, ['| code | meaning |', '| --- | --- |', ...rows].join('\n')]);
}

async function faultReference(): Promise<string> {
  const { faultCatalogue } = await import('./fault-catalogue.ts');
  return page('Faults', 'harness/registry.ts, the drivers of faults and the probes', faultCatalogue(ROOT));
}

async function planIndex(): Promise<string> {
  const folder = join(ROOT, 'plans');
  const files = readdirSync(folder).filter((name) => name.endsWith('.yaml'));
  if (files.length === 0) throw new Error('there is no plan in plans/');
  const rows = files.sort().map((file) => {
    const plan = parse(readFileSync(join(folder, file), 'utf8')) as { plan?: unknown; hypothesis?: unknown };
    if (typeof plan.plan !== 'string' || typeof plan.hypothesis !== 'string') {
      throw new Error(`plans/${file} has no \`plan:\` or no \`hypothesis:\``);
    }
    return `| [${cell(plan.plan)}](${file}) | ${cell(plan.hypothesis)} |`;
  });
  return page('Plans', 'the plans', [['| plan | hypothesis |', '| --- | --- |', ...rows].join('\n')]);
}

function page(title: string, source: string, blocks: string[]): string {
  const note = `<!-- Made from ${source} by \`npm run generate\`: change that, not this. -->`;
  return `${[`# ${title}`, note, ...blocks].join('\n\n')}\n`;
}

function cell(text: string): string {
  return text.replaceAll('|', '\\|').replaceAll(/\s+/g, ' ').trim();
}

/** Returns what is wrong with the part, undefined when it is right or has been written. */
async function bringUpToDate(part: Part, onlyCheck: boolean): Promise<string | undefined> {
  let text: string;
  try {
    text = await part.make();
  } catch (thrown) {
    return `${part.file} cannot be made from ${part.from}: ${messageOf(thrown)}`;
  }
  const path = join(ROOT, part.file);
  if (existsSync(path) && readFileSync(path, 'utf8') === text) return undefined;
  if (onlyCheck) return `${part.file} is not what ${part.from} says: npm run generate`;
  mkdirSync(dirname(path), { recursive: true });
  writeFileSync(path, text);
  console.log(`wrote ${part.file}`);
  return undefined;
}

const onlyCheck = process.argv.slice(2).includes('--check');
const wrong: string[] = [];
for (const part of PARTS) {
  const problem = await bringUpToDate(part, onlyCheck);
  if (problem !== undefined) wrong.push(problem);
}
for (const problem of wrong) console.error(problem);
process.exitCode = wrong.length === 0 ? 0 : 1;
