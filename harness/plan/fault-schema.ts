import { z } from 'zod';
import { durationMs, zodSchema } from '../core/zod-schema.ts';
import type { JsonObject } from '../spi/json.ts';
import type { Target } from '../spi/plan.ts';
import { byKey, listOf, mappingOr, name, text } from './zod-pieces.ts';

/** More repetitions, and more injections in all, are a mistake or another tool's work. */
export const REPEATS_MAX = 100;
export const INJECTIONS_MAX = 200;
/** Groups within groups. */
export const GROUP_DEPTH_MAX = 4;
/** A turn of a flap is proved to bite and to heal: what is shorter cannot be. */
export const FLAP_MIN_MS = 1000;

const nameOrList = () =>
  z
    .union([text(), z.array(text()).min(1)], { error: 'expected a name or a list of names' })
    .transform((value) => (typeof value === 'string' ? [value] : value));

const targetSchema = byKey({
  store: z.strictObject({ store: text(), role: z.enum(['primary', 'standby']) }),
  service: z.strictObject({ service: text(), idc: text().optional() }),
  node: z.strictObject({ node: text() }),
  link: z.strictObject({ link: z.strictObject({ from: nameOrList(), to: nameOrList() }) }),
  idc: z.strictObject({ idc: text() }),
}) as z.ZodType<Target>;

const betweenSchema = z.strictObject({
  between: z
    .array(durationMs())
    .length(2, { error: 'expected two times, as in [40s, 60s]' })
    .refine((times) => times.length !== 2 || times[0]! < times[1]!, { error: 'expected the earlier time first' })
    .describe('A moment of this span, both ends included, drawn from the seed.'),
});

const momentKeys = {
  delay: durationMs().optional().describe('From that moment on. Default: 0s.'),
  within: durationMs()
    .optional()
    .describe('How late, at most, that moment may come before it is skipped. Default: the recovery window.'),
};
const afterSchema = byKey({
  bitten: z.strictObject({ bitten: text().describe('A fault that is proved to bite.'), ...momentKeys }),
  healed: z.strictObject({ healed: text().describe('A fault that is proved healed.'), ...momentKeys }),
  recovered: z.strictObject({
    recovered: text().describe('A fault that is healed, after which 5 s were as good as the steady state.'),
    ...momentKeys,
  }),
});
export type RawAfter = z.output<typeof afterSchema>;

const repeatSchema = z.strictObject({
  times: z.int().min(2).max(REPEATS_MAX).describe('How often in all.'),
  every: durationMs().describe('From start to start.'),
});

/** When something of the list begins, and how often: the same for a fault and for a group. */
const turnShape = {
  at: mappingOr(durationMs(), betweenSchema)
    .optional()
    .describe('When it is injected, from t = 0: a time, or a moment drawn from a span. Not in a lane.'),
  after: afterSchema.optional().describe('In place of `at`: when another fault, written before, has come so far.'),
  repeat: repeatSchema.optional().describe('The same again: its name gets -1, -2 and so on.'),
};

export const faultSchema = z.strictObject({
  name: name().describe('Name of this fault in the report.'),
  ...turnShape,
  for: durationMs().describe('How long it is held, from the moment it bit.'),
  flap: z
    .strictObject({
      on: durationMs().describe('How long it is held each time, at least 1s.'),
      off: durationMs().describe('How long it is gone in between, at least 1s.'),
    })
    .optional()
    .describe('On and off while `for` lasts: each turn is a fault of its own, proved to bite and to heal.'),
  inject: text().describe('Kind of fault, from the catalogue.'),
  target: targetSchema.describe('What it acts on.'),
  with: z.record(z.string(), z.unknown()).default({}).describe('Parameters of that kind of fault.'),
});
export type RawFault = z.output<typeof faultSchema>;

/** A list that runs one after the other, or several such lists side by side. What is in them is parsed item by item. */
export const stepsSchema = z.strictObject({
  ...turnShape,
  steps: listOf(z.unknown())
    .min(1, { error: 'expected at least one step' })
    .describe('Faults, groups and `wait: 5s`, each begun when the one before it is over.'),
});
export const lanesSchema = z.strictObject({
  ...turnShape,
  lanes: z
    .record(z.string(), listOf(z.unknown()).min(1, { error: 'expected at least one step' }), {
      error: 'expected a mapping of names to lists of steps',
    })
    .describe('Name to a list as in `steps`; the lanes run side by side and the group is over when all are.'),
});
export type RawGroup = Omit<z.output<typeof stepsSchema>, 'steps'>;

export const waitSchema = z.strictObject({ wait: durationMs().describe('Nothing begins for so long.') });

/** What an item of `faults` may be, for editors; a step is any of them, or a wait. */
export function faultDefinitions(fault: JsonObject): JsonObject {
  const lane = { type: 'array', minItems: 1, items: { $ref: '#/definitions/step' } };
  const steps = withProperty(bare(zodSchema(stepsSchema).json()), 'steps', lane);
  const lanes = withProperty(bare(zodSchema(lanesSchema).json()), 'lanes', {
    type: 'object',
    additionalProperties: lane,
  });
  const step = { anyOf: [{ $ref: '#/definitions/faultItem' }, bare(zodSchema(waitSchema).json())] };
  return { faultItem: { anyOf: [fault, steps, lanes] }, step };
}

function withProperty(json: JsonObject, key: string, value: JsonObject): JsonObject {
  const properties = json.properties as Record<string, JsonObject>;
  const { description } = properties[key]!;
  return { ...json, properties: { ...properties, [key]: { ...value, description: description ?? '' } } };
}

function bare(json: JsonObject): JsonObject {
  return Object.fromEntries(Object.entries(json).filter(([key]) => key !== '$schema'));
}
