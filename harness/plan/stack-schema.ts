import { z } from 'zod';
import { patternProblem } from '../core/safe-pattern.ts';
import { durationMs, percentage } from '../core/zod-schema.ts';
import type { AnswerCheck, TakeSpec } from '../spi/stack.ts';
import { byKey, httpUrl, listOf, NAME, name, recordOf, text, textOr } from './zod-pieces.ts';

/** The stack language, key by key. */
const ENVIRONMENT_NAME = /^[A-Z_][A-Z0-9_]*$/;
const environmentName = () =>
  z.string().regex(ENVIRONMENT_NAME, { error: 'expected names of environment variables, as in ORDER_URL' });
const port = () => z.int().min(1).max(65_535);
const environment = () =>
  z
    .record(environmentName(), z.union([z.string(), z.number(), z.boolean()]))
    .default({})
    .transform((entries) => Object.fromEntries(Object.entries(entries).map(([key, value]) => [key, String(value)])));

const runSchema = z
  .strictObject({
    local: text().optional().describe('Command line for the local runtime; node is the Node that runs Seawall.'),
    image: text().optional().describe('Image for the containers runtime.'),
    args: z.array(z.string()).default([]).describe('Arguments of the image.'),
  })
  .refine((run) => run.local !== undefined || run.image !== undefined, {
    error: 'expected local, image or both',
    params: { expected: 'local (a command line), image, or both' },
  });

export const PICKS = ['sameIdc', 'any', 'eachIdc', 'primary', 'control'] as const;
const peer = () =>
  z
    .string({ error: 'expected peer.pick, as in order.sameIdc' })
    .regex(/^[a-z][a-z0-9-]*\.[A-Za-z]+$/, { error: 'expected peer.pick, as in order.sameIdc' })
    .transform((value) => {
      const [of, pick] = value.split('.');
      return { peer: of!, pick: pick! };
    });

const range = () => {
  const error = 'expected a range of user ids, as in 1-1000';
  return z
    .string({ error })
    .regex(/^\d{1,15}-\d{1,15}$/, { error })
    .transform((value) => {
      const [from, to] = value.split('-').map(Number);
      return { from: from!, to: to! };
    })
    .refine(({ from, to }) => from <= to, { error: 'expected the smaller number first' });
};

export const serviceSchema = z.strictObject({
  run: runSchema.describe('How a node of it is started.'),
  in: z.record(z.string().regex(NAME), z.int().min(1).max(50)).describe('IDC to number of nodes.'),
  port: port().describe('Port in a container; the local runtime picks free ones and passes PORT.'),
  ready: z
    .strictObject({
      http: z.string().startsWith('/', { error: 'expected a path, as in /ready' }),
      within: durationMs(),
    })
    .describe('A node is ready when this path answers 2xx.'),
  calls: z.record(environmentName(), peer()).default({}).describe('Environment variable to the peer it names.'),
  env: environment().describe('More environment variables.'),
});

export const storeSchema = z.strictObject({
  engine: z.enum(['postgres']),
  primary: text().describe('IDC of the first primary.'),
  standby: text().optional().describe('IDC of the first standby; needs a supervisor.'),
  init: text().optional().describe('SQL run once on the first primary; relative to this file.'),
  database: z
    .string()
    .regex(/^[a-z_][a-z0-9_]*$/, { error: 'expected a name such as trade' })
    .optional(),
  user: text().default('seawall'),
  password: text().default('seawall'),
  image: text().default('postgres:17'),
  shadow: z.strictObject({ schema: text() }).optional().describe('Where shadow writes go.'),
  supervisor: z
    .strictObject({ run: runSchema, port: port(), env: environment(), within: durationMs().default(20_000) })
    .optional()
    .describe('The program that runs the database beside it and changes its role.'),
});

/** A regular expression that is safe to run on whatever a server answers. */
const pattern = () =>
  text().superRefine((value, context) => {
    const problem = patternProblem(value);
    if (problem !== undefined) context.addIssue({ code: 'custom', message: problem });
  });
const pointer = () => text().startsWith('/', { error: 'expected a JSON pointer, as in /orderId' });
const headerName = () => text().regex(/^[!#$%&'*+.^_`|~0-9A-Za-z-]+$/, { error: 'expected the name of a header' });
const cookieName = () => text().regex(/^[^\s;=,"]+$/, { error: 'expected the name of a cookie' });

/** Where in an answer a value stands, with more keys beside it. */
const placed = <M extends z.ZodRawShape>(more: M) =>
  byKey({
    json: z.strictObject({ json: pointer(), ...more }),
    regex: z.strictObject({ regex: pattern(), ...more }),
    header: z.strictObject({ header: headerName(), ...more }),
    cookie: z.strictObject({ cookie: cookieName(), ...more }),
  });

const takeSchema = textOr(
  pointer().transform((json) => ({ json })),
  placed({}),
) as z.ZodType<TakeSpec>;

const plainValue = () =>
  z
    .union([z.string(), z.number(), z.boolean()], { error: 'expected a text, a number or a truth value' })
    .transform(String);

const checkSchema = placed({
  equals: plainValue().optional().describe('It is this, compared as text.'),
  matches: pattern().optional().describe('A regular expression that it matches.'),
}).transform((check): AnswerCheck => {
  const { equals, matches, ...of } = check as TakeSpec & { equals?: string; matches?: string };
  return { of, ...(equals === undefined ? {} : { equals }), ...(matches === undefined ? {} : { matches }) };
});

const thinkSchema = textOr(
  durationMs().transform((ms) => ({ fromMs: ms, toMs: ms })),
  z
    .strictObject({ from: durationMs(), to: durationMs() })
    .refine(({ from, to }) => from <= to, { error: 'expected the shorter time first', path: ['from'] })
    .transform(({ from, to }) => ({ fromMs: from, toMs: to })),
);

const METHODS = ['GET', 'POST', 'PUT', 'PATCH', 'DELETE', 'HEAD'] as const;
const path = () => z.string().startsWith('/', { error: 'expected a path, as in /orders' }).optional();
const status = () => z.int().min(100).max(599);
export const stepSchema = z
  .strictObject({
    ...(Object.fromEntries(METHODS.map((method) => [method, path()])) as Record<
      (typeof METHODS)[number],
      ReturnType<typeof path>
    >),
    name: text().optional().describe('Default: method and path.'),
    headers: z.record(z.string(), z.string()).default({}),
    body: z
      .union([z.string(), z.record(z.string(), z.unknown())], { error: 'expected text or a mapping' })
      .optional()
      .describe('A mapping is sent as JSON.'),
    expect: z
      .union([status(), z.array(status()).min(1)], { error: 'expected a status or a list of them' })
      .default(200)
      .transform((value) => (typeof value === 'number' ? [value] : value))
      .describe('Good statuses; default 200.'),
    take: z
      .record(z.string().regex(/^[a-zA-Z][a-zA-Z0-9]*$/, { error: 'expected names of letters and digits' }), takeSchema)
      .default({})
      .describe(
        'Placeholder to where its value stands in the answer: a JSON pointer, or json, regex, header or cookie.',
      ),
    check: listOf(checkSchema).default([]).describe('What else must hold of a good answer.'),
    ack: text().optional().describe('Key that a good answer acknowledges.'),
    think: thinkSchema.default({ fromMs: 0, toMs: 0 }).describe('Pause before this step; drawn evenly from a range.'),
    continue: percentage()
      .optional()
      .describe('Share of those who came through the step before that goes on to this one; the others leave, good.'),
  })
  .transform((step, context) => {
    const used = METHODS.filter((method) => step[method] !== undefined);
    const method = used[0];
    if (used.length === 1 && method !== undefined) return { ...step, method, path: step[method]! };
    const expected = `exactly one of ${METHODS.join(', ')}`;
    context.addIssue({ code: 'custom', message: 'a step is one request', params: { expected } });
    return z.NEVER;
  });

const invariantSchema = z.strictObject({
  sql: listOf(z.strictObject({ store: text(), sum: text() })).min(1),
  expect: z.enum(['equal', 'zero']),
});

export const stackShape = {
  vars: z
    .record(z.string(), z.union([z.string(), z.number(), z.boolean()]))
    .default({})
    .transform((entries) => Object.fromEntries(Object.entries(entries).map(([key, value]) => [key, String(value)])))
    .describe('Values of variables that the plan does not set.'),
  idcs: listOf(name()).default([]).describe('The data centres, the edge included.'),
  edge: listOf(name()).default([]).describe('IDCs where users stand: never a target.'),
  entry: text().optional().describe('The service that users call. Default: the only one.'),
  users: z
    .strictObject({ real: range(), shadow: range() })
    .default({ real: { from: 1, to: 1000 }, shadow: { from: 900_001, to: 901_000 } }),
  services: recordOf(serviceSchema).default({}),
  stores: recordOf(storeSchema).default({}),
  existing: recordOf(httpUrl()).default({}).describe('Services that run already: name to base URL.'),
  journeys: recordOf(listOf(stepSchema).min(1, { error: 'expected at least one step' }))
    .default({})
    .describe('What users do: name to steps. Scripts and recordings need none.'),
  invariants: recordOf(invariantSchema).default({}),
  acks: recordOf(z.strictObject({ store: text(), key: text() }))
    .default({})
    .describe('Journey to the rows that answer for its acknowledged keys.'),
  marker: listOf(z.strictObject({ store: text(), real: text(), shadow: text() }))
    .default([])
    .describe('Where rows on the wrong side would be found; {marker} is the run’s marker as a pattern.'),
} as const;
export type RawService = z.output<typeof serviceSchema>;
export type RawStore = z.output<typeof storeSchema>;
export type RawStep = z.output<typeof stepSchema>;
