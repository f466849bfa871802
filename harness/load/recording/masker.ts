import { BoundedCache } from './bounded-cache.ts';
import { formDecoded, maskFormValue } from './mask-form.ts';
import { isAddress, maskHeader } from './mask-headers.ts';
import { announcesToken, maskPath, maskPiece } from './mask-path.ts';
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
  /** The same rules for who goes through a request field by field; a masker may have none. */
  readonly fields?: FieldRules;
}

/** A field without private values. */
export interface MaskedField {
  text: string;
  /** Classes of what was replaced, one for each value. */
  replaced: readonly string[] | undefined;
}

/**
 * What `mask` does to the fields of a request, one at a time. Nothing is counted until `count` is told, so that who
 * remembers what a field became counts it each time.
 */
export interface FieldRules {
  /** Whether the built-in rules for forms are all there is: no user's patterns, no rule for addresses of machines. */
  readonly builtInForms: boolean;
  session(session: string): string;
  /** Path and query, or a whole address. */
  path(path: string): MaskedField;
  header(name: string, value: string): MaskedField;
  /** The value of one pair of a query as it is written; the key is too. */
  pair(key: string, written: string): MaskedField;
  /** The same for the commonest values, a machine's token and a bare mobile number; undefined: `pair` has to say. */
  atOnce(kind: string | undefined, written: string): MaskedField | undefined;
  /** What a key of a pair, as it is written, says about its value. */
  classOf(key: string): string | undefined;
  /** Whether a segment of a path stays as it is, wherever it stands but behind one that announces a token. */
  keepsSegment(segment: string): boolean;
  announcesToken(segment: string): boolean;
  count(replaced: readonly string[]): void;
}

export function createMasker(options: MaskOptions = {}): Masker {
  return new RequestMasker(options);
}

/** Values of headers come again and again; what is longer is mostly unique. */
const CACHED_LENGTH_MAX = 512;
const HEADERS_MAX = 64;
const CACHED_VALUES = 2048;
const TOKEN = /^[A-Za-ln-rtv-z0-9][\w.~-]{9,255}$/;
const ONE_TOKEN: readonly string[] = ['token'];
const MOBILE = /^1[3-9]\d{9}$/;
const ONE_PHONE: readonly string[] = ['phone'];

class RequestMasker implements Masker, FieldRules {
  readonly counts = new Map<string, number>();
  readonly #masker: TextMasker;
  readonly #pseudonyms: Pseudonyms;
  readonly #replace: Replace;
  readonly builtInForms: boolean;
  readonly #values = new Map<string, BoundedCache<MaskedField>>();
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
    this.builtInForms = this.#masker.rules.patterns.length === 0 && !this.#masker.rules.has('ip');
  }

  get fields(): FieldRules {
    return this;
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

  session(session: string): string {
    return session === '' || isPseudonym(session) ? session : this.#pseudonyms.newSession(session);
  }

  path(path: string): MaskedField {
    return this.#rewritten(path, (now) => maskPath(now, this.#masker));
  }

  pair(key: string, written: string): MaskedField {
    const plain = formDecoded(key);
    return this.#rewritten(written, (now) => maskFormValue(plain, now, this.#masker, 0));
  }

  atOnce(kind: string | undefined, written: string): MaskedField | undefined {
    const { rules } = this.#masker;
    if (!this.builtInForms || rules.keeps(written)) return undefined;
    // No pseudonym begins so, and nothing that is encoded, or has a scheme before it, looks so.
    if (kind === 'token')
      return TOKEN.test(written) ? { text: this.#pseudonyms.token(written), replaced: ONE_TOKEN } : undefined;
    const mayBePhone = (kind === undefined && rules.has('phone')) || kind === 'phone';
    return mayBePhone && MOBILE.test(written)
      ? { text: this.#pseudonyms.mobile(written), replaced: ONE_PHONE }
      : undefined;
  }

  classOf(key: string): string | undefined {
    const plain = formDecoded(key);
    return plain === '' ? undefined : this.#masker.rules.classOf(plain);
  }

  keepsSegment(segment: string): boolean {
    const { text, replaced } = this.#rewritten(segment, (now) => maskPiece(now, this.#masker));
    return text === segment && replaced === undefined;
  }

  announcesToken(segment: string): boolean {
    return announcesToken(segment, this.#masker);
  }

  count(replaced: readonly string[]): void {
    for (const kind of replaced) this.counts.set(kind, (this.counts.get(kind) ?? 0) + 1);
  }

  #session(session: string | undefined): string | undefined {
    if (session === undefined || session === '' || isPseudonym(session)) return session;
    return this.#pseudonyms.session(session);
  }

  #path(path: string): string {
    return this.#counted(this.path(path));
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

  #cacheOf(name: string): BoundedCache<MaskedField> {
    const known = this.#values.get(name);
    if (known !== undefined) return known;
    // Names that somebody makes up for each request must not fill the memory.
    if (this.#values.size >= HEADERS_MAX) this.#values.clear();
    const cache = new BoundedCache<MaskedField>(CACHED_VALUES);
    this.#values.set(name, cache);
    return cache;
  }

  #body(body: string | undefined): string | undefined {
    if (body === undefined || body === '') return body;
    return this.#counted(this.#rewritten(body, (now) => this.#masker.body(now)));
  }

  #header(name: string, value: string): string {
    // Nearly each is another one, so that keeping them costs more than it saves.
    const cache = value.length > CACHED_LENGTH_MAX || isAddress(name) ? undefined : this.#cacheOf(name);
    const known = cache?.get(value);
    if (known !== undefined) return this.#counted(known);
    const masked = this.header(name, value);
    cache?.set(value, masked);
    return this.#counted(masked);
  }

  header(name: string, value: string): MaskedField {
    return this.#rewritten(value, (now) => maskHeader(name, now, this.#masker, this.#replace));
  }

  #counted({ text, replaced }: MaskedField): string {
    if (replaced !== undefined) this.count(replaced);
    return text;
  }

  #rewritten(text: string, rewrite: (text: string) => string): MaskedField {
    const masked = untilStable(text, rewrite);
    const replaced = this.#replaced;
    if (replaced.length === 0) return { text: masked, replaced: undefined };
    this.#replaced = [];
    return { text: masked, replaced };
  }
}
