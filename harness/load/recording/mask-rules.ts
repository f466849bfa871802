import { z } from 'zod';
import { linearPattern } from './linear-pattern.ts';
import { KEY_MAX, type MaskRules } from './rule-set.ts';
import { SECRET_CLASSES } from './secret-keys.ts';

const PATTERN_MAX = 1000;
const LIST_MAX = 1000;
const VALUE_MAX = 4096;
const CLASS_NAME = /^[a-z][a-z0-9-]{0,39}$/;

const words = (longest: number) =>
  z
    .array(z.string({ error: 'expected text' }).min(1, { error: 'expected text that is not empty' }).max(longest), {
      error: 'expected a list',
    })
    .max(LIST_MAX);

const className = () => {
  const error = 'expected the name of a class: lower-case letters, digits and dashes, at most 40';
  return z.string({ error }).regex(CLASS_NAME, { error });
};

const pattern = z
  .string({ error: 'expected a regular expression' })
  .min(1, { error: 'expected a regular expression that is not empty' })
  .max(PATTERN_MAX)
  .superRefine((text, context) => {
    const made = linearPattern(text);
    if (made instanceof RegExp) return;
    context.addIssue({ code: 'custom', message: made.problem, params: { expected: made.expected } });
  });

const RULES = z.strictObject({
  keys: z.record(className(), words(KEY_MAX), { error: 'expected a mapping of classes to keys' }).default({}),
  patterns: z
    .array(z.strictObject({ class: className(), matches: pattern }), { error: 'expected a list' })
    .max(LIST_MAX)
    .default([]),
  keep: z
    .strictObject({ keys: words(KEY_MAX).default([]), values: words(VALUE_MAX).default([]) })
    .default({ keys: [], values: [] }),
  off: z.array(z.enum(SECRET_CLASSES), { error: 'expected a list' }).default([]),
  ip: z.boolean({ error: 'expected true or false' }).default(false),
});

/** The shape of a rules file (`--mask rules.yaml`): all issues at once. */
export const maskRulesType: z.ZodType<MaskRules> = RULES;
