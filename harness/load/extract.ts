import { searchLimit } from '../core/safe-pattern.ts';
import type { AnswerCheck, TakeSpec } from '../spi/stack.ts';

type Plain = string | number | boolean;

/** What `take` and `check` look at. */
export interface AnswerView {
  body: string;
  /** Whether the body is not all that came. */
  cut: boolean;
  /** Flat: name, value, name, value, …; names in any case. */
  headers: readonly string[];
}

/** An answer's body read as JSON, once and only when it is asked for. */
export class LazyJson {
  readonly #answer: AnswerView;
  #read = false;
  #value: unknown;

  constructor(answer: AnswerView) {
    this.#answer = answer;
  }

  /** Undefined for what is cut off or no JSON: then nothing can be pointed at. */
  get value(): unknown {
    if (this.#read) return this.#value;
    this.#read = true;
    if (this.#answer.cut) return undefined;
    try {
      this.#value = JSON.parse(this.#answer.body);
    } catch {
      // Not JSON: the caller counts it as an answer without what it needs.
      this.#value = undefined;
    }
    return this.#value;
  }
}

export type Taker = (answer: AnswerView, json: LazyJson) => Plain | undefined;
export type Checker = (answer: AnswerView, json: LazyJson) => boolean;

/**
 * How to find one value in an answer, worked out once. Patterns are trusted here: validation has refused those that
 * are dangerous (`core/safe-pattern`).
 */
export function compileTake(spec: TakeSpec): Taker {
  if ('json' in spec) {
    const keys = pointerKeys(spec.json);
    return (_answer, json) => plain(locate(json.value, keys));
  }
  if ('regex' in spec) {
    const [pattern, limit] = [new RegExp(spec.regex), searchLimit(spec.regex)];
    return ({ body }) => firstMatch(pattern, body.length > limit ? body.slice(0, limit) : body);
  }
  if ('header' in spec) {
    const name = spec.header.toLowerCase();
    return ({ headers }) => headerValue(headers, name);
  }
  const { cookie } = spec;
  return ({ headers }) => cookieValue(headers, cookie);
}

/** Whether an answer has what a check asks for; `equals` compares as text. */
export function compileCheck(check: AnswerCheck): Checker {
  const { of, equals, matches } = check;
  if (equals === undefined && matches === undefined && 'json' in of) {
    const keys = pointerKeys(of.json);
    // Being there is not being plain: a list of items is there too.
    return (_answer, json) => locate(json.value, keys) !== undefined;
  }
  const take = compileTake(of);
  const pattern = matches === undefined ? undefined : new RegExp(matches);
  const limit = matches === undefined ? 0 : searchLimit(matches);
  return (answer, json) => {
    const value = take(answer, json);
    if (value === undefined) return false;
    const text = String(value);
    if (equals !== undefined && text !== equals) return false;
    return pattern === undefined || pattern.test(text.slice(0, limit));
  };
}

const takers = new WeakMap<TakeSpec, Taker>();
const checkers = new WeakMap<AnswerCheck, Checker>();

/** The value that `spec` names, for whoever holds no compiled one. Hand the same `json` to all of one answer. */
export function extract(spec: TakeSpec, answer: AnswerView, json: LazyJson = new LazyJson(answer)): Plain | undefined {
  const take = takers.get(spec) ?? compileTake(spec);
  takers.set(spec, take);
  return take(answer, json);
}

/** Whether an answer passes one check. */
export function holds(check: AnswerCheck, answer: AnswerView, json: LazyJson = new LazyJson(answer)): boolean {
  const checker = checkers.get(check) ?? compileCheck(check);
  checkers.set(check, checker);
  return checker(answer, json);
}

/** Whether a spec needs the body at all, so that an engine may let go of bodies that nobody reads. */
export function needsBody(spec: TakeSpec): boolean {
  return 'json' in spec || 'regex' in spec;
}

function pointerKeys(pointer: string): readonly string[] {
  return pointer
    .split('/')
    .slice(1)
    .map((raw) => raw.replaceAll('~1', '/').replaceAll('~0', '~'));
}

/** RFC 6901, own keys only. */
function locate(document: unknown, keys: readonly string[]): unknown {
  let at = document;
  for (const key of keys) {
    if (at === null || typeof at !== 'object' || !Object.hasOwn(at, key)) return undefined;
    at = (at as Record<string, unknown>)[key];
  }
  return at;
}

function plain(value: unknown): Plain | undefined {
  return typeof value === 'string' || typeof value === 'number' || typeof value === 'boolean' ? value : undefined;
}

/** The first group that took part in the match, else all of it. */
function firstMatch(pattern: RegExp, body: string): string | undefined {
  const found = pattern.exec(body);
  if (found === null) return undefined;
  return found.length === 1 ? found[0] : found.slice(1).find((group) => group !== undefined);
}

function headerValue(headers: readonly string[], name: string): string | undefined {
  for (let at = 0; at + 1 < headers.length; at += 2) {
    if (headers[at]!.toLowerCase() === name) return headers[at + 1]!.trim();
  }
  return undefined;
}

/** Of `set-cookie: name=value; attributes`, the value as it is to be sent back (RFC 6265); the last one set wins. */
function cookieValue(headers: readonly string[], name: string): string | undefined {
  let value: string | undefined;
  for (let at = 0; at + 1 < headers.length; at += 2) {
    if (headers[at]!.toLowerCase() !== 'set-cookie') continue;
    const [pair = ''] = headers[at + 1]!.split(';', 1);
    const equals = pair.indexOf('=');
    if (equals > 0 && pair.slice(0, equals).trim() === name) value = pair.slice(equals + 1).trim();
  }
  return value;
}
