import type { AnswerCheck, JourneyStep, TakeSpec } from '../spi/stack.ts';
import { type Checker, compileCheck, compileTake, needsBody, type Taker } from './extract.ts';
import type { FeedRows } from './feed.ts';
import { inHeader, inPath, jsonTemplateOf, type Slots, type Template, templateOf } from './template.ts';
import type { Sender, Transport } from './transport.ts';

/** More of an answer than this is not looked at for `take` and `check`. */
const TAKE_BODY_MAX = 64 * 1024;
/** Enough for a failure's 500 characters after masking. */
const FAILURE_BODY_MAX = 2048;

/** Slots that every journey has; those of taken values and feed columns follow. */
export const SLOT = { trace: 0, span: 1, n: 2, user: 3, uuid: 4 } as const;
const BUILT_IN = Object.keys(SLOT).length;

export interface CompiledStep {
  name: string;
  expect: readonly number[];
  think: { fromMs: number; toMs: number };
  conversion: number;
  sender: Sender;
  takes: readonly { slot: number; take: Taker }[];
  checks: readonly Checker[];
  /** Of the key that a good answer acknowledges. */
  ack: Template | undefined;
  /** Of the request's `traceparent`, where it has one. */
  traceparent: Template | undefined;
}

export interface CompiledJourney {
  name: string;
  /** Its place in the mix; with regions that of its region comes first. */
  index: number;
  steps: readonly CompiledStep[];
  /** Number of values that a journey of it holds. */
  slots: number;
  /** Which built-in values are used at all: the others are not drawn. */
  usesUser: boolean;
  usesUuid: boolean;
  feeds: readonly { rows: FeedRows; firstSlot: number }[];
}

/** What compiling needs beside the steps. */
export interface JourneySurroundings {
  runId: string;
  marker: string;
  /** Headers of every request; `{trace}` and `{span}` in them are drawn per request. */
  tag: Record<string, string>;
  feeds: ReadonlyMap<string, FeedRows>;
  transport: Transport;
  /** Of a scenario with regions: the way from each of them, in their order. */
  ways?: readonly Transport[];
}

/** One journey with its templates cut up and its requests prepared once. */
export function compileJourney(
  name: string,
  index: number,
  steps: readonly JourneyStep[],
  around: JourneySurroundings,
): CompiledJourney {
  const names = new SlotNames(around);
  for (const step of steps) names.taken(Object.keys(step.take));
  const compiled = steps.map((step) => compileStep(step, around, names));
  return {
    name,
    index,
    steps: compiled,
    slots: names.count,
    usesUser: names.used.has('user'),
    usesUuid: names.used.has('uuid'),
    feeds: names.feeds,
  };
}

/** Gives names their slots while templates are cut up, and remembers which were wanted. */
class SlotNames {
  readonly used = new Set<string>();
  readonly feeds: { rows: FeedRows; firstSlot: number }[] = [];
  readonly #around: JourneySurroundings;
  readonly #slots = new Map<string, number>(Object.entries(SLOT));
  #count = BUILT_IN;

  constructor(around: JourneySurroundings) {
    this.#around = around;
  }

  get count(): number {
    return this.#count;
  }

  taken(names: readonly string[]): void {
    for (const name of names) if (!this.#slots.has(name)) this.#slots.set(name, this.#count++);
  }

  readonly of: Slots = (name) => {
    if (name === 'run') return this.#around.runId;
    if (name === 'marker') return this.#around.marker;
    this.used.add(name);
    return this.#slots.get(name) ?? this.#ofFeed(name);
  };

  #ofFeed(name: string): number | undefined {
    const dot = name.indexOf('.');
    const feed = name.slice(0, Math.max(0, dot));
    const rows = this.#around.feeds.get(feed);
    if (rows === undefined || !rows.columns.includes(name.slice(dot + 1))) return undefined;
    this.feeds.push({ rows, firstSlot: this.#count });
    for (const column of rows.columns) this.#slots.set(`${feed}.${column}`, this.#count++);
    return this.#slots.get(name);
  }
}

function compileStep(step: JourneyStep, around: JourneySurroundings, names: SlotNames): CompiledStep {
  const { transport, tag } = around;
  const tags = Object.entries(tag).map(([key, value]) => [key, templateOf(value, names.of)] as const);
  const headers = Object.entries(withContentType(step)).map(
    ([key, value]) => [key, templateOf(value, names.of, inHeader)] as const,
  );
  const takes = Object.entries(step.take).map(([name, spec]) => ({
    slot: names.of(name) as number,
    take: compileTake(spec),
  }));
  const path = templateOf(step.path.startsWith('/') ? step.path : `/${step.path}`, names.of, inPath);
  const sender = transport.compile({
    method: step.method,
    path,
    headers: [...headers, ...tags],
    body: bodyOf(step, names),
    wants: {
      expect: step.expect,
      bodyMax: looksAt(step).some(needsBody) ? TAKE_BODY_MAX : 0,
      otherBodyMax: FAILURE_BODY_MAX,
      headers: looksAt(step).some((spec) => !needsBody(spec)),
    },
  });
  return {
    name: step.name,
    expect: step.expect,
    think: step.think,
    conversion: step.conversion,
    sender,
    takes,
    checks: step.checks.map(compileCheck),
    ack: step.ack === undefined ? undefined : templateOf(step.ack, names.of),
    traceparent: tags.find(([key]) => key === 'traceparent')?.[1],
  };
}

function bodyOf({ body }: JourneyStep, names: SlotNames): Template | undefined {
  if (body === undefined) return undefined;
  return typeof body === 'string' ? templateOf(body, names.of) : jsonTemplateOf(body, names.of);
}

function looksAt(step: JourneyStep): TakeSpec[] {
  return [...Object.values(step.take), ...step.checks.map((check: AnswerCheck) => check.of)];
}

function withContentType(step: JourneyStep): Record<string, string> {
  const named = Object.keys(step.headers).some((key) => key.toLowerCase() === 'content-type');
  const isJson = step.body !== undefined && typeof step.body !== 'string';
  return named || !isJson ? step.headers : { 'content-type': 'application/json', ...step.headers };
}
