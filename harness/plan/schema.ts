import { z } from 'zod';
import { durationMs, percentage, ratePerSecond, zodSchema } from '../core/zod-schema.ts';
import type { JsonObject } from '../spi/json.ts';
import { faultDefinitions, faultSchema } from './fault-schema.ts';
import {
  curveSchema,
  feedName,
  feedSchema,
  httpSchema,
  levelSchema,
  regionSchema,
  users,
  usersADaySchema,
} from './load-schema.ts';
import { stackShape } from './stack-schema.ts';
import { byKey, listOf, name, oneWord, recordOf, text } from './zod-pieces.ts';

export const EXECUTORS = [
  'constant-arrival-rate',
  'ramping-arrival-rate',
  'poisson',
  'constant-vus',
  'ramping-vus',
  'replay',
] as const;

/** The plan language, key by key; each key is parsed on its own, so that one mistake hides no other. */
export const scenarioSchema = z.strictObject({
  scenario: name().describe('Name of this stream of load.'),
  executor: z
    .enum(EXECUTORS)
    .optional()
    .describe(
      'How journeys are started. Rates are starts per second, whatever the answers do; vus are users, who wait for their answers. Default: what the other keys fit.',
    ),
  engine: z.enum(['native', 'k6', 'autocannon']).default('native').describe('The load engine.'),
  http: httpSchema.optional().describe('How the native engine speaks. Default: HTTP/1.1, directly.'),
  script: text().optional().describe('With engine k6: a k6 script of your own, relative to the plan.'),
  threads: z.int().min(1).max(64).optional().describe('Threads that the native engine sends from. Default: one.'),
  warmUp: durationMs()
    .optional()
    .describe('Load before t = 0, in no finding. Default: the longest of the plan, or 5s.'),
  rate: ratePerSecond().optional().describe('Journeys started per second: constant-arrival-rate, poisson.'),
  users: usersADaySchema.optional().describe('Users a day, in place of `rate`: the rate of their busiest hour.'),
  vus: users().optional().describe('Users at once, for constant-vus.'),
  for: durationMs().optional().describe('With rate, users or vus. Default: as long as the longest scenario.'),
  stages: listOf(
    byKey({
      to: z.strictObject({ to: levelSchema, over: durationMs() }),
      hold: z.strictObject({ hold: durationMs() }),
    }),
  )
    .min(1, { error: 'expected at least one stage' })
    .optional()
    .describe(
      'Straight lines from rate to rate (ramping-arrival-rate, poisson) or users to users (ramping-vus), from 0.',
    ),
  curve: curveSchema.optional().describe('A model of a day, in place of `stages`.'),
  recording: text().optional().describe('For replay: a recording, relative to the plan.'),
  speed: z.number().min(0.1).max(100).optional().describe('For replay: 2 is twice as fast. Default: 1.'),
  sessions: z.int().min(1).max(1000).optional().describe('For replay: each session this many times. Default: 1.'),
  sign: text().optional().describe('For replay: a module, relative to the plan, that signs each request anew.'),
  mix: recordOf(percentage())
    .optional()
    .describe('Journey of the stack to its share of the starts; they sum to 100%. Default: all to the only journey.'),
  regions: recordOf(regionSchema)
    .optional()
    .describe('Where users are: name to share, round trip and bandwidth. Default: where the generator is.'),
  feeds: z
    .record(feedName(), feedSchema)
    .default({})
    .describe('Rows for the journeys: {feed.column} in a step takes a value from the row of its start.'),
  good: z
    .strictObject({
      within: durationMs().describe('Deadline of each step, from its intended start.'),
      journeyWithin: durationMs().optional().describe('Deadline of the whole journey, from its scheduled start.'),
      shed: z.enum(['bad', 'excluded']).default('bad').describe('What answers 429 and 503 count as.'),
    })
    .describe('When a request is good.'),
  shadow: z.boolean().default(false).describe('Whether the traffic carries the shadow mark.'),
  inFlight: z.int().min(1).max(100_000).default(1000).describe('Most journeys at once; a start beyond is bad.'),
});

const count = () => z.int().min(0).max(10_000);
const abortSchema = z.strictObject({
  of: text().describe('A scenario.'),
  bad: percentage().describe('Trips when the lower 95 % bound of the share of bad starts exceeds this.'),
  over: durationMs().describe('Length of the sliding window.'),
});

/** The parts of a guard, each parsed on its own. */
export const guardShape = {
  blastRadius: oneWord(
    'none',
    z.strictObject({ idcs: count().optional(), nodes: count().optional(), services: count().optional() }),
  ).describe('The most that faults held at one moment may touch.'),
  abortWhen: oneWord('none', listOf(abortSchema)).describe('Heal at once when a scenario suffers more than this.'),
  faultBudget: z
    .literal('none', { error: 'expected `none`, or nothing' })
    .optional()
    .describe('`none`: faults may take more at one moment than the stack can claim to survive.'),
} as const;

const guardSchema = oneWord('none', z.strictObject(guardShape));

export const planShape = {
  plan: name(80).describe('Name of the plan.'),
  hypothesis: text().describe('What is believed to stay true, in one sentence.'),
  stack: z
    .union([text(), z.record(z.string(), z.unknown())])
    .describe('Path of a stack file relative to this one, or a stack.'),
  seed: z.int().min(0).default(1).describe('All chance of a run comes from it.'),
  vars: z
    .record(z.string().regex(/^[A-Za-z_][A-Za-z0-9_-]*$/), z.union([z.string(), z.number(), z.boolean()]), {
      error: 'expected names with a text, a number or a truth value each',
    })
    .default({})
    .describe('Values of the variables named here and in the stack; --set name=value replaces one.'),
  load: listOf(scenarioSchema).min(1, { error: 'expected at least one scenario' }).describe('The streams of load.'),
  steadyState: z
    .strictObject({ for: durationMs(), good: percentage(), p99: durationMs().optional() })
    .default({ for: 5000, good: 0.99 })
    .describe('Judged before t = 0; not met: unknown, and nothing is injected. Default: 5s at 99%.'),
  faults: listOf(faultSchema)
    .default([])
    .describe('What is broken, and when: faults, and groups of them as `steps` or `lanes`.'),
  guard: guardSchema.describe('What stops the run early; `none` must be said.'),
  verify: listOf(z.record(z.string(), z.unknown())).min(1, { error: 'expected at least one check' }),
  recovery: z
    .strictObject({ window: durationMs() })
    .optional()
    .describe('How long load stays on after a fault. Default: the rto and 10s.'),
  allowHosts: z.array(text()).default([]).describe('Hosts outside loopback that may be a target.'),
  runtime: z.enum(['auto', 'local', 'containers', 'existing']).default('auto').describe('Where the stack runs.'),
  proxy: z.enum(['seawall', 'toxiproxy']).optional().describe('Which fault proxy.'),
} as const;

/** What the schema makes of each part of a plan. */
export type RawScenario = z.output<typeof scenarioSchema>;

/** What a plan may name: given by the caller, since no room knows the others. */
export interface SchemaCatalogue {
  faults: Readonly<Record<string, { summary: string; params: { json(): JsonObject } }>>;
  checks: Readonly<Record<string, { summary: string; params: { json(): JsonObject } }>>;
}

/** JSON Schema (draft-7) of the plan language for editors, with the faults and checks of the catalogue. */
export function planJsonSchema(catalogue: SchemaCatalogue): JsonObject {
  const plan = zodSchema(z.strictObject(planShape)).json();
  const stack = zodSchema(z.strictObject(stackShape)).json();
  const properties = plan.properties as Record<string, JsonObject>;
  properties.stack = { ...properties.stack, anyOf: [{ type: 'string' }, bare(stack)] };
  properties.verify = { ...properties.verify, items: checkItem(catalogue) };
  const definitions = faultDefinitions(faultItem(properties.faults!, catalogue));
  properties.faults = { ...properties.faults, items: { $ref: '#/definitions/faultItem' } };
  return allowVariables({ ...plan, title: 'A Seawall plan', definitions }) as JsonObject;
}

function checkItem({ checks }: SchemaCatalogue): JsonObject {
  const entries = Object.entries(checks).map(([kind, check]): [string, JsonObject] => {
    const json = bare(check.params.json());
    const advisory = { type: 'boolean', description: 'Shown, never changes the exit code.' };
    const properties = { ...(json.properties as JsonObject | undefined), advisory };
    return [kind, { ...json, description: check.summary, properties }];
  });
  const properties = Object.fromEntries(entries);
  return { type: 'object', properties, additionalProperties: false, minProperties: 1, maxProperties: 1 };
}

function faultItem(list: JsonObject, { faults }: SchemaCatalogue): JsonObject {
  const item = list.items as JsonObject;
  const properties = item.properties as Record<string, JsonObject>;
  const inject = { ...properties.inject, enum: Object.keys(faults) };
  const allOf = Object.entries(faults).map(([kind, fault]) => ({
    if: { properties: { inject: { const: kind } } },
    // biome-ignore lint/suspicious/noThenProperty: a keyword of JSON Schema, not a promise
    then: { properties: { with: { ...bare(fault.params.json()), description: fault.summary } } },
  }));
  return { ...item, properties: { ...properties, inject }, allOf };
}

function bare(json: JsonObject): JsonObject {
  return Object.fromEntries(Object.entries(json).filter(([key]) => key !== '$schema'));
}

/** Wherever a value has a shape, `${name}` may stand in its place. */
function allowVariables(json: unknown): unknown {
  if (Array.isArray(json)) return json.map(allowVariables);
  if (typeof json !== 'object' || json === null) return json;
  const mapped = Object.fromEntries(Object.entries(json).map(([key, value]) => [key, allowVariables(value)]));
  const { type, description, ...rest } = mapped;
  const shaped = ['integer', 'number', 'boolean'].includes(String(type)) || (type === 'string' && shapedText(rest));
  if (!shaped) return mapped;
  const anyOf = [
    { type, ...rest },
    { type: 'string', pattern: '\\$\\{[^{}]+\\}' },
  ];
  return { ...(description === undefined ? {} : { description }), anyOf };
}

function shapedText(json: Record<string, unknown>): boolean {
  return 'pattern' in json || 'enum' in json || 'format' in json;
}
