import { z } from 'zod';
import { type ZodSchema, zodSchema } from '../core/zod-schema.ts';

/** A name that can stand in ids, file names and reports. */
export const NAME = /^[a-z][a-z0-9-]*$/;

export const name = (longest = 40) => {
  const error = `expected a name: lower-case letters, digits and dashes, at most ${longest}`;
  return z.string({ error }).regex(NAME, { error }).max(longest, { error });
};

export const text = () => z.string({ error: 'expected text' }).min(1, { error: 'expected text that is not empty' });

export const httpUrl = () =>
  z.string().refine((value) => URL.canParse(value) && /^https?:$/.test(new URL(value).protocol), {
    error: 'expected a base URL, as in http://127.0.0.1:8080',
  });

export const listOf = <T extends z.ZodType>(item: T) => z.array(item, { error: 'expected a list' });

export const recordOf = <T extends z.ZodType>(value: T) =>
  z.record(z.string().regex(NAME, { error: 'expected names of lower-case letters, digits and dashes' }), value, {
    error: 'expected a mapping of names',
  });

/**
 * A union told apart by which key is there (the first that is, in the order given), so that its issues are those of the
 * branch that was meant and not of all of them.
 */
export function byKey<S extends Record<string, z.ZodType>>(branches: S): z.ZodType<z.output<S[keyof S]>> {
  const keys = Object.keys(branches);
  const schemas = Object.fromEntries(keys.map((key) => [key, zodSchema(branches[key]!)]));
  const expected = `a mapping with one of ${keys.join(', ')}`;
  const chosen = z.unknown().transform((value, context) => {
    const key = keys.find(
      (candidate) => typeof value === 'object' && value !== null && Object.hasOwn(value, candidate),
    );
    if (key !== undefined) return parseInto(schemas[key]!, value, context);
    context.addIssue({
      code: 'custom',
      message: `expected ${expected}`,
      params: { expected: `one of ${keys.join(', ')}` },
    });
    return z.NEVER;
  });
  const anyOf = Object.values(schemas).map((schema) => withoutDialect(schema.json()));
  return chosen.meta({ anyOf }) as unknown as z.ZodType<z.output<S[keyof S]>>;
}

/** A union told apart by the word that stands at `key`, so that its issues are those of the branch that was meant. */
export function byWord<S extends Record<string, z.ZodType>>(key: string, branches: S): z.ZodType<z.output<S[keyof S]>> {
  const words = Object.keys(branches);
  const schemas = Object.fromEntries(words.map((word) => [word, zodSchema(branches[word]!)]));
  const expected = `one of ${words.join(', ')}`;
  const chosen = z.unknown().transform((value, context) => {
    const written = typeof value === 'object' && value !== null ? (value as Record<string, unknown>)[key] : undefined;
    if (typeof written === 'string' && Object.hasOwn(schemas, written)) {
      return parseInto(schemas[written]!, value, context);
    }
    const message =
      written === undefined ? `expected a mapping with \`${key}\`` : `${JSON.stringify(written)} is not known here`;
    const path = written === undefined ? [] : [key];
    context.addIssue({ code: 'custom', path, message, params: { expected } });
    return z.NEVER;
  });
  const anyOf = Object.values(schemas).map((schema) => withoutDialect(schema.json()));
  return chosen.meta({ anyOf }) as unknown as z.ZodType<z.output<S[keyof S]>>;
}

/** Text by one schema, anything else by another; the issues are those of the one that was meant. */
export function textOr<A, B>(text: z.ZodType<A>, other: z.ZodType<B>): z.ZodType<A | B> {
  const [ofText, ofOther] = [zodSchema(text), zodSchema(other)];
  const either = z.unknown().transform((value, context) => {
    return parseInto(typeof value === 'string' ? ofText : ofOther, value, context) as A | B;
  });
  const anyOf = [withoutDialect(ofText.json()), withoutDialect(ofOther.json())];
  return either.meta({ anyOf }) as unknown as z.ZodType<A | B>;
}

/** A mapping by one schema, anything else by another; the issues are those of the one that was meant. */
export function mappingOr<A, B>(other: z.ZodType<A>, mapping: z.ZodType<B>): z.ZodType<A | B> {
  const [ofOther, ofMapping] = [zodSchema(other), zodSchema(mapping)];
  const either = z.unknown().transform((value, context) => {
    const isMapping = typeof value === 'object' && value !== null && !Array.isArray(value);
    return parseInto(isMapping ? ofMapping : ofOther, value, context) as A | B;
  });
  const anyOf = [withoutDialect(ofOther.json()), withoutDialect(ofMapping.json())];
  return either.meta({ anyOf }) as unknown as z.ZodType<A | B>;
}

/** Either one fixed word or the schema. */
export function oneWord<W extends string, T extends z.ZodType>(word: W, schema: T): z.ZodType<z.output<T> | W> {
  const mapping = zodSchema(schema);
  const either = z.unknown().transform((value, context) => {
    if (value === word) return word;
    if (typeof value === 'object' && value !== null) return parseInto(mapping, value, context);
    context.addIssue({ code: 'custom', message: `expected the word ${word} or a mapping`, params: { expected: word } });
    return z.NEVER;
  });
  const anyOf = [{ const: word }, withoutDialect(mapping.json())];
  return either.meta({ anyOf }) as unknown as z.ZodType<z.output<T> | W>;
}

function parseInto(schema: ZodSchema<unknown>, value: unknown, context: z.RefinementCtx): unknown {
  const parsed = schema.parse(value);
  if (parsed.ok) return parsed.value;
  for (const { path, message, expected } of parsed.issues) {
    context.addIssue({ code: 'custom', path, message, ...(expected === undefined ? {} : { params: { expected } }) });
  }
  return z.NEVER;
}

function withoutDialect({ $schema: _dialect, ...json }: Record<string, unknown>): Record<string, unknown> {
  return json;
}
