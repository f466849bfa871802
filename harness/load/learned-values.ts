import { headerOf } from './flat-headers.ts';

/** Shorter values are too likely to mean something else elsewhere. */
const VALUE_MIN = 4;
const VALUE_MAX = 4096;
/** Most pairs that one session keeps; the oldest goes first. */
const PAIRS_MAX = 1000;
const DEPTH_MAX = 12;
/** What a value in a request may stand between. */
const WORD = /[^\s/?&=;,:"'{}[\]()<>]+/g;

/** One answer: as it was recorded, or as it came now. */
export interface AnswerSeen {
  body: string | undefined;
  /** Flat: lower-case name, value, … */
  headers: readonly string[];
}

/**
 * What the system under test calls things that production called otherwise, learned in one session: where an answer has
 * another value in the place where the recorded one had its own (the same JSON pointer, header or cookie), the session's
 * later requests say the new one instead. Order numbers, tokens and cookies follow of themselves.
 */
export class LearnedValues {
  readonly #pairs = new Map<string, string>();

  get size(): number {
    return this.#pairs.size;
  }

  learn(recorded: AnswerSeen, now: AnswerSeen): void {
    this.#learnHeaders(recorded.headers, now.headers);
    const before = jsonOf(recorded.body);
    const after = jsonOf(now.body);
    if (before !== undefined && after !== undefined) this.#compare(before, after, 0);
  }

  /** The text with every value that was learned said anew; percent-encoded ones too. */
  apply(text: string): string {
    if (this.#pairs.size === 0) return text;
    return text.replace(WORD, (word) => this.#pairs.get(word) ?? this.#decoded(word) ?? word);
  }

  #decoded(word: string): string | undefined {
    if (!word.includes('%')) return undefined;
    try {
      const known = this.#pairs.get(decodeURIComponent(word));
      return known === undefined ? undefined : encodeURIComponent(known);
    } catch {
      // Not percent-encoding after all: the word stays as it is.
      return undefined;
    }
  }

  #learnHeaders(before: readonly string[], after: readonly string[]): void {
    const cookies = cookiesOf(after);
    for (const [name, value] of cookiesOf(before)) this.#pair(value, cookies.get(name));
    for (const name of ['location', 'x-request-id', 'etag', 'x-csrf-token', 'authorization']) {
      this.#pairWords(headerOf(before, name), headerOf(after, name));
    }
  }

  /** Of two texts of as many words, those that differ: `/orders/7` and `/orders/o-19`. */
  #pairWords(before: string | undefined, after: string | undefined): void {
    const [old, fresh] = [before?.match(WORD) ?? [], after?.match(WORD) ?? []];
    if (old.length !== fresh.length) return;
    old.forEach((word, index) => {
      this.#pair(word, fresh[index]);
    });
  }

  #compare(before: unknown, after: unknown, depth: number): void {
    if (depth > DEPTH_MAX) return;
    if (typeof before === 'object' && before !== null && typeof after === 'object' && after !== null) {
      for (const [key, value] of Object.entries(before)) {
        if (Object.hasOwn(after, key)) this.#compare(value, (after as Record<string, unknown>)[key], depth + 1);
      }
      return;
    }
    if (isName(before) && isName(after)) this.#pair(String(before), String(after));
  }

  #pair(before: string | undefined, after: string | undefined): void {
    if (before === undefined || after === undefined || before === after) return;
    if (before.length < VALUE_MIN || before.length > VALUE_MAX || after.length === 0 || after.length > VALUE_MAX)
      return;
    this.#pairs.delete(before);
    this.#pairs.set(before, after);
    if (this.#pairs.size > PAIRS_MAX) this.#pairs.delete(this.#pairs.keys().next().value!);
  }
}

const isName = (value: unknown): value is string | number => typeof value === 'string' || Number.isSafeInteger(value);

function jsonOf(body: string | undefined): unknown {
  if (body === undefined || !/^\s*[[{]/.test(body)) return undefined;
  try {
    return JSON.parse(body);
  } catch {
    // Cut off, or no JSON: there is nothing to learn from it.
    return undefined;
  }
}

function cookiesOf(headers: readonly string[]): Map<string, string> {
  const cookies = new Map<string, string>();
  for (let at = 0; at + 1 < headers.length; at += 2) {
    if (headers[at] !== 'set-cookie') continue;
    const [, name, value] = /^\s*([^=;]+)=([^;]*)/.exec(headers[at + 1]!) ?? [];
    if (name !== undefined && value !== undefined) cookies.set(name.trim(), value.trim());
  }
  return cookies;
}
