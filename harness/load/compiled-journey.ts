import { type Random, seeded } from '../core/random.ts';
import type { Json } from '../spi/json.ts';
import type { JourneyStep } from '../spi/stack.ts';
import { fill, fillJson, isFilledBy, pointedAt, type Template, templateOf, type Values } from './template.ts';
import type { HttpRequest } from './transport.ts';

/** More of an answer than this is not looked at for `take`. */
const TAKE_BODY_MAX = 64 * 1024;
/** Enough for a failure's 500 characters after masking. */
const FAILURE_BODY_MAX = 2048;

export interface CompiledStep {
  name: string;
  expect: readonly number[];
  thinkMs: number;
  hasAck: boolean;
  request(values: Values, tag: Record<string, string>): HttpRequest;
  /** Values taken from a good answer, or undefined when it lacks one. */
  take(body: string, cut: boolean): Map<string, string | number | boolean> | undefined;
  /** The acknowledged key, or undefined while a value of it is not known. */
  ackKey(values: Values): string | undefined;
}

export interface CompiledJourney {
  name: string;
  steps: readonly CompiledStep[];
}

/** One journey with its templates cut up once. */
export function compileJourney(name: string, steps: readonly JourneyStep[]): CompiledJourney {
  return { name, steps: steps.map(compileStep) };
}

function compileStep(step: JourneyStep): CompiledStep {
  const path = templateOf(step.path);
  const headers = Object.entries(withContentType(step)).map(([key, value]) => [key, templateOf(value)] as const);
  const body = typeof step.body === 'string' ? templateOf(step.body) : undefined;
  const ack = step.ack === undefined ? undefined : templateOf(step.ack);
  const takes = Object.entries(step.take);
  const bodyMax = takes.length > 0 ? TAKE_BODY_MAX : FAILURE_BODY_MAX;
  return {
    name: step.name,
    expect: step.expect,
    thinkMs: step.thinkMs,
    hasAck: ack !== undefined,
    request: (values, tag) => ({
      method: step.method,
      path: fill(path, values, encodeURIComponent),
      headers: { ...fillHeaders(headers, values), ...tag },
      body: body === undefined ? jsonBody(step.body, values) : fill(body, values),
      bodyMax,
    }),
    take: (text, cut) => takeFrom(takes, text, cut),
    ackKey: (values) => (ack !== undefined && isFilledBy(ack, values) ? fill(ack, values) : undefined),
  };
}

function withContentType(step: JourneyStep): Record<string, string> {
  const named = Object.keys(step.headers).some((key) => key.toLowerCase() === 'content-type');
  const isJson = step.body !== undefined && typeof step.body !== 'string';
  return named || !isJson ? step.headers : { 'content-type': 'application/json', ...step.headers };
}

function fillHeaders(headers: readonly (readonly [string, Template])[], values: Values): Record<string, string> {
  // A taken value may hold what would end the header line; it must not become a header of its own.
  return Object.fromEntries(
    headers.map(([key, template]) => [key, fill(template, values, (value) => value.replace(/[^\x20-\x7e]/g, ''))]),
  );
}

const jsonBody = (body: Json | undefined, values: Values): string | undefined =>
  body === undefined ? undefined : JSON.stringify(fillJson(body, values));

function takeFrom(
  takes: readonly (readonly [string, string])[],
  text: string,
  cut: boolean,
): Map<string, string | number | boolean> | undefined {
  const taken = new Map<string, string | number | boolean>();
  if (takes.length === 0) return taken;
  if (cut) return undefined;
  let document: unknown;
  try {
    document = JSON.parse(text);
  } catch {
    // Not JSON: the caller counts it as an answer without what `take` needs.
    return undefined;
  }
  for (const [name, pointer] of takes) {
    const value = pointedAt(document, pointer);
    if (value === undefined) return undefined;
    taken.set(name, value);
  }
  return taken;
}

/** What does not change over one scenario of one run. */
export interface Identity {
  runId: string;
  scenario: string;
  seed: number;
  marker: string;
  users: { from: number; to: number };
}

/** The built-in values of one journey start and its chance: the same for the same seed and number, whatever the timing. */
export function builtIns(identity: Identity, number: number): { values: Map<string, string>; random: Random } {
  const random = seeded(`${identity.seed}/load/${identity.scenario}/${number}`);
  const values = new Map([
    ['run', identity.runId],
    ['marker', identity.marker],
    ['n', String(number)],
    ['user', String(random.integer(identity.users.from, identity.users.to))],
    ['uuid', uuidFrom(random)],
  ]);
  return { values, random };
}

/** `digits` hex digits. */
export function hexFrom(random: Random, digits: number): string {
  let text = '';
  while (text.length < digits) text += random.integer(0, 0xffffffff).toString(16).padStart(8, '0');
  return text.slice(0, digits);
}

function uuidFrom(random: Random): string {
  const hex = hexFrom(random, 32);
  const variant = '89ab'[random.integer(0, 3)]!;
  return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-4${hex.slice(13, 16)}-${variant}${hex.slice(17, 20)}-${hex.slice(20)}`;
}
