import { parseAddress } from './address.ts';
import type { ProxyView } from './proxy.ts';
import type { Attributes, Stream, Toxic, ToxicType } from './toxics/toxic.ts';
import { STREAMS } from './toxics/toxic.ts';
import { TOXIC_TYPES } from './toxics/types.ts';

/** What a request body says, or all that is wrong with it. */
export type Parsed<T> = { ok: true; value: T } | { ok: false; problems: string[] };

type Fields = Record<string, unknown>;

const NAME_LENGTH_MAX = 200;

/** A whole proxy, toxics included, as POST /proxies and /populate take it. */
export function parseProxy(body: unknown, at = ''): Parsed<ProxyView> {
  if (!isFields(body)) return { ok: false, problems: [`${at}expected an object`] };
  const problems = [
    ...unknownFields(body, ['name', 'listen', 'upstream', 'enabled', 'toxics', 'Logger'], at),
    ...nameProblems(body.name, 'name', at),
    ...addressProblems(body.upstream, 'upstream', at),
    ...(body.listen === undefined ? [] : addressProblems(body.listen, 'listen', at)),
    ...(body.enabled === undefined ? [] : booleanProblems(body.enabled, `${at}enabled`)),
  ];
  const list = body.toxics ?? [];
  if (!Array.isArray(list)) problems.push(`${at}toxics: expected an array`);
  const toxics: Toxic[] = [];
  for (const [index, item] of (Array.isArray(list) ? list : []).entries()) {
    const parsed = parseToxic(item, `${at}toxics[${index}].`);
    if (!parsed.ok) problems.push(...parsed.problems);
    else if (toxics.some(({ name }) => name === parsed.value.name)) {
      problems.push(`${at}toxics[${index}].name: "${parsed.value.name}" twice`);
    } else toxics.push(parsed.value);
  }
  if (problems.length > 0) return { ok: false, problems };
  return {
    ok: true,
    value: {
      name: body.name as string,
      listen: (body.listen as string | undefined) ?? '127.0.0.1:0',
      upstream: body.upstream as string,
      enabled: (body.enabled as boolean | undefined) ?? true,
      toxics,
    },
  };
}

export function parseProxies(body: unknown): Parsed<ProxyView[]> {
  if (!Array.isArray(body)) return { ok: false, problems: ['expected an array of proxies'] };
  const parsed = body.map((item, index) => parseProxy(item, `[${index}].`));
  const problems = parsed.flatMap((one) => (one.ok ? [] : one.problems));
  if (problems.length > 0) return { ok: false, problems };
  return { ok: true, value: parsed.flatMap((one) => (one.ok ? [one.value] : [])) };
}

export function parseProxyPatch(
  body: unknown,
): Parsed<{ listen: string | undefined; upstream: string | undefined; enabled: boolean | undefined }> {
  if (!isFields(body)) return { ok: false, problems: ['expected an object'] };
  const problems = [
    ...unknownFields(body, ['name', 'listen', 'upstream', 'enabled', 'toxics', 'Logger'], ''),
    ...(body.listen === undefined ? [] : addressProblems(body.listen, 'listen', '')),
    ...(body.upstream === undefined ? [] : addressProblems(body.upstream, 'upstream', '')),
    ...(body.enabled === undefined ? [] : booleanProblems(body.enabled, 'enabled')),
  ];
  if (problems.length > 0) return { ok: false, problems };
  return {
    ok: true,
    value: {
      listen: body.listen as string | undefined,
      upstream: body.upstream as string | undefined,
      enabled: body.enabled as boolean | undefined,
    },
  };
}

export function parseToxic(body: unknown, at = ''): Parsed<Toxic> {
  if (!isFields(body)) return { ok: false, problems: [`${at}expected an object`] };
  const problems = unknownFields(body, ['name', 'type', 'stream', 'toxicity', 'attributes'], at);
  const type = typeof body.type === 'string' ? TOXIC_TYPES.get(body.type) : undefined;
  if (type === undefined) problems.push(`${at}type: expected one of ${[...TOXIC_TYPES.keys()].join(', ')}`);
  const stream = body.stream ?? 'downstream';
  if (!STREAMS.includes(stream as Stream)) problems.push(`${at}stream: expected upstream or downstream`);
  const named = body.name !== undefined && body.name !== '';
  const name = named ? body.name : `${type?.type ?? 'unknown'}_${STREAMS.find((known) => known === stream) ?? ''}`;
  problems.push(...nameProblems(name, 'name', at));
  const toxicity = body.toxicity ?? 1;
  problems.push(...toxicityProblems(toxicity, at));
  const attributes = parseAttributes(body.attributes ?? {}, type, at);
  if (!attributes.ok) problems.push(...attributes.problems);
  if (problems.length > 0 || type === undefined || !attributes.ok) return { ok: false, problems };
  return {
    ok: true,
    value: {
      name: name as string,
      type: type.type,
      stream: stream as Stream,
      toxicity: toxicity as number,
      attributes: attributes.value,
    },
  };
}

/** The attributes given are merged over those that `toxic` has; its name, type and stream cannot change. */
export function parseToxicPatch(body: unknown, toxic: Toxic): Parsed<{ toxicity: number; attributes: Attributes }> {
  if (!isFields(body)) return { ok: false, problems: ['expected an object'] };
  const problems = unknownFields(body, ['name', 'type', 'stream', 'toxicity', 'attributes'], '');
  for (const key of ['name', 'type', 'stream'] as const) {
    if (body[key] !== undefined && body[key] !== toxic[key]) problems.push(`${key}: cannot change`);
  }
  const toxicity = body.toxicity ?? toxic.toxicity;
  problems.push(...toxicityProblems(toxicity, ''));
  const given = isFields(body.attributes) ? { ...toxic.attributes, ...body.attributes } : body.attributes;
  const attributes = parseAttributes(given ?? toxic.attributes, TOXIC_TYPES.get(toxic.type), '');
  if (!attributes.ok) problems.push(...attributes.problems);
  if (problems.length > 0 || !attributes.ok) return { ok: false, problems };
  return { ok: true, value: { toxicity: toxicity as number, attributes: attributes.value } };
}

function parseAttributes(given: unknown, type: ToxicType | undefined, at: string): Parsed<Attributes> {
  if (!isFields(given)) return { ok: false, problems: [`${at}attributes: expected an object`] };
  if (type === undefined) return { ok: true, value: {} };
  const problems = unknownFields(given, Object.keys(type.attributes), `${at}attributes.`);
  const value: Attributes = {};
  for (const [key, { min = 0, max }] of Object.entries(type.attributes)) {
    const number = given[key] ?? 0;
    if (Number.isInteger(number) && (number as number) >= min && (number as number) <= max)
      value[key] = number as number;
    else problems.push(`${at}attributes.${key}: expected a whole number from ${min} to ${max}`);
  }
  const together = problems.length > 0 ? undefined : type.problem?.(value);
  if (together !== undefined) problems.push(`${at}attributes.${together}`);
  return problems.length > 0 ? { ok: false, problems } : { ok: true, value };
}

function unknownFields(body: Fields, known: string[], at: string): string[] {
  return Object.keys(body)
    .filter((key) => !known.includes(key))
    .map((key) => `${at}${key}: unknown; known are ${known.filter((name) => name !== 'Logger').join(', ')}`);
}

function nameProblems(name: unknown, key: string, at: string): string[] {
  if (typeof name === 'string' && name !== '' && name.length <= NAME_LENGTH_MAX && !name.includes('/')) return [];
  return [`${at}${key}: expected 1 to ${NAME_LENGTH_MAX} characters without "/"`];
}

function addressProblems(address: unknown, key: string, at: string): string[] {
  if (typeof address === 'string' && parseAddress(address) !== undefined) return [];
  return [`${at}${key}: expected host:port`];
}

function booleanProblems(value: unknown, key: string): string[] {
  return typeof value === 'boolean' ? [] : [`${key}: expected true or false`];
}

function toxicityProblems(value: unknown, at: string): string[] {
  return typeof value === 'number' && value >= 0 && value <= 1 ? [] : [`${at}toxicity: expected a number from 0 to 1`];
}

function isFields(value: unknown): value is Fields {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
