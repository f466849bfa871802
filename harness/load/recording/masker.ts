import { BoundedCache } from './bounded-cache.ts';
import { isAddress, maskHeader } from './mask-headers.ts';
import { maskPath } from './mask-path.ts';
import { isPseudonym, Pseudonyms } from './pseudonyms.ts';
import type { Recorded } from './recorded.ts';
import { type MaskRules, NO_RULES, ruleSet } from './rule-set.ts';
import { shapedReplace } from './shaped-replace.ts';
import { type Replace, TextMasker, untilStable } from './text-masker.ts';

export interface MaskOptions {
  /** What pseudonyms are made with: recordings made with the same key share them. Undefined: random, so nobody can. */
  key?: string | undefined;
  /** A user's own rules, beside the built-in ones. */
  rules?: MaskRules | undefined;
}

/** Takes private values out of requests; the same value becomes the same pseudonym wherever it stands. */
export interface Masker {
  /** The request without private values; masking it again changes nothing. The argument is not changed. */
  mask(request: Recorded): Recorded;
  /** How many values were replaced so far, by class. */
  readonly counts: ReadonlyMap<string, number>;
}

export function createMasker(options: MaskOptions = {}): Masker {
  return new RequestMasker(options);
}

/** Values of headers come again and again; what is longer is mostly unique. */
const CACHED_LENGTH_MAX = 512;
const HEADERS_MAX = 64;
const CACHED_VALUES = 512;

interface Known {
  text: string;
  /** Classes of what was replaced, one for each value. */
  replaced: readonly string[] | undefined;
}

class RequestMasker implements Masker {
  readonly counts = new Map<string, number>();
  readonly #masker: TextMasker;
  readonly #pseudonyms: Pseudonyms;
  readonly #replace: Replace;
  readonly #values = new Map<string, BoundedCache<Known>>();
  /** Of the value that is being masked. */
  #replaced: string[] = [];

  constructor({ key, rules }: MaskOptions) {
    this.#pseudonyms = new Pseudonyms(key);
    const replace = shapedReplace(this.#pseudonyms);
    this.#replace = (kind, written) => {
      const by = replace(kind, written);
      if (by !== written) this.#replaced.push(kind);
      return by;
    };
    this.#masker = new TextMasker(ruleSet(rules ?? NO_RULES), this.#replace);
  }

  mask(request: Recorded): Recorded {
    return {
      atMs: request.atMs,
      session: this.#session(request.session),
      method: request.method,
      path: this.#path(request.path),
      headers: this.#headers(request.headers),
      body: this.#body(request.body),
      status: request.status,
      tookMs: request.tookMs,
      answerHeaders: this.#headers(request.answerHeaders),
      answerBody: this.#body(request.answerBody),
    };
  }

  #session(session: string | undefined): string | undefined {
    if (session === undefined || session === '' || isPseudonym(session)) return session;
    return this.#pseudonyms.session(session);
  }

  #path(path: string): string {
    const masked = untilStable(path, (now) => maskPath(now, this.#masker));
    this.#countReplaced();
    return masked;
  }

  #headers(headers: string[]): string[] {
    if (headers.length === 0) return headers;
    const masked = [...headers];
    for (let at = 0; at + 1 < headers.length; at += 2) {
      const name = headers[at]!;
      const value = headers[at + 1]!;
      masked[at + 1] = this.#header(name, value);
    }
    return masked;
  }

  #cacheOf(name: string): BoundedCache<Known> {
    const known = this.#values.get(name);
    if (known !== undefined) return known;
    // Names that somebody makes up for each request must not fill the memory.
    if (this.#values.size >= HEADERS_MAX) this.#values.clear();
    const cache = new BoundedCache<Known>(CACHED_VALUES);
    this.#values.set(name, cache);
    return cache;
  }

  #body(body: string | undefined): string | undefined {
    if (body === undefined || body === '') return body;
    const masked = untilStable(body, (now) => this.#masker.body(now));
    this.#countReplaced();
    return masked;
  }

  #header(name: string, value: string): string {
    // Nearly each is another one, so that keeping them costs more than it saves.
    const cache = value.length > CACHED_LENGTH_MAX || isAddress(name) ? undefined : this.#cacheOf(name);
    const known = cache?.get(value);
    if (known !== undefined) {
      if (known.replaced !== undefined) this.#count(known.replaced);
      return known.text;
    }
    const text = untilStable(value, (now) => maskHeader(name, now, this.#masker, this.#replace));
    const replaced = this.#countReplaced();
    cache?.set(value, { text, replaced });
    return text;
  }

  #countReplaced(): readonly string[] | undefined {
    const replaced = this.#replaced;
    if (replaced.length === 0) return undefined;
    this.#count(replaced);
    this.#replaced = [];
    return replaced;
  }

  #count(replaced: readonly string[]): void {
    for (const kind of replaced) this.counts.set(kind, (this.counts.get(kind) ?? 0) + 1);
  }
}
