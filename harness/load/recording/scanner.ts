import { BoundedCache } from './bounded-cache.ts';
import { linearPattern } from './linear-pattern.ts';
import type { Recorded } from './recorded.ts';
import { type MaskRules, NO_RULES } from './rule-set.ts';
import { type Hit, hitsByForm, isMasked } from './scan-forms.ts';
import { exposedCookies, hitsByKey, KeyJudge } from './scan-keys.ts';
import { QuickLook } from './scan-quick.ts';
import { viewsOf } from './scan-views.ts';

/** One private value that stands where all can read it. */
export interface ScanFinding {
  class: string;
  /** Such as `path`, `header cookie`, `answer body`; undefined in a text file. */
  field: string | undefined;
  /** Of the value in the field or the line, from 0; of what holds it where it is encoded. */
  offset: number;
  /** `plain`, or the encodings that were taken off. */
  form: string;
  /** Its first character and stars: never the value. */
  shape: string;
}

const SHAPE_MAX = 24;
const CLEAN = 16_384;
const CLEAN_NAMES_MAX = 16;
const CLEAN_LENGTH_MAX = 512;
/** Beyond so many hits of one class in one text, some may be named twice. */
const COMPARED_MAX = 1000;
const KINDS_MAX = 1024;
const COOKIES: ReadonlySet<string> = new Set(['cookie', 'set-cookie']);
/** The commonest masked value of all. */
const SESSION = /^s-[a-p]{16}$/;
/** What stands in place of values, within a text. */
const ANY_MASKED = /masked-[a-p]+|u[a-p]{16}@masked\.invalid|s-[a-p]{16}|某\p{Script=Han}{5}|\*{3,}/gu;

/** Looks for private values and knows nothing of how the masker works. */
export class Scanner {
  readonly #rules: MaskRules;
  readonly #judge: KeyJudge;
  readonly #patterns: readonly { class: string; matches: RegExp }[];
  readonly #off: ReadonlySet<string>;
  /** Values of headers that nothing was found in, and the headers: they come again and again. */
  readonly #clean = new BoundedCache<Set<string>>(CLEAN);
  /** Undefined where it could not tell: with patterns or addresses of machines to look for. */
  readonly #quick: QuickLook | undefined;
  readonly #kinds = new Map<string, string | undefined>();

  constructor(rules: MaskRules = NO_RULES) {
    this.#rules = rules;
    this.#judge = new KeyJudge(rules);
    this.#off = new Set(rules.off);
    this.#patterns = rules.patterns.map((one) => {
      const matches = linearPattern(one.matches);
      if (matches instanceof RegExp) return { class: one.class, matches };
      throw new TypeError(matches.problem);
    });
    this.#quick = rules.ip || rules.patterns.length > 0 ? undefined : new QuickLook((key) => this.#judge.classOf(key));
  }

  /** Everything found in one text, each value once. */
  text(text: string, field?: string): ScanFinding[] {
    return text === '' || this.#quick?.isClean(text) === true ? [] : this.thorough(text, field);
  }

  /** The same without a quick look before. */
  thorough(text: string, field?: string): ScanFinding[] {
    const found = new Map<string, ScanFinding>();
    for (const view of viewsOf(text)) {
      for (const hit of largest(this.#hits(view.text)))
        this.#note(found, hit, view.text, view.form, view.offset, field);
    }
    return [...found.values()];
  }

  recorded(request: Recorded): ScanFinding[] {
    const found = this.text(request.path, 'path');
    this.#headers(request.headers, 'header', found);
    if (request.body !== undefined) found.push(...this.text(request.body, 'body'));
    this.#headers(request.answerHeaders, 'answer header', found);
    if (request.answerBody !== undefined) found.push(...this.text(request.answerBody, 'answer body'));
    const { session } = request;
    if (session !== undefined && session !== '' && !SESSION.test(session) && !isMasked(session))
      found.push({ class: 'token', field: 'session', offset: 0, form: 'plain', shape: shapeOf(session) });
    return found;
  }

  #headers(headers: readonly string[], field: string, found: ScanFinding[]): void {
    for (let at = 0; at + 1 < headers.length; at += 2) {
      const name = headers[at]!;
      const value = headers[at + 1]!;
      // Addresses are nearly all others: what was looked at before helps little there.
      const isAddress =
        value.startsWith('http') && this.#kindOf(name) === undefined && !COOKIES.has(name.toLowerCase());
      if (isAddress && this.#quick?.isClean(value) === true) continue;
      if (value.length <= CLEAN_LENGTH_MAX && this.#clean.get(value)?.has(name) === true) continue;
      const inHeader = this.#header(name, value, `${field} ${name}`);
      found.push(...inHeader);
      if (inHeader.length === 0 && value.length <= CLEAN_LENGTH_MAX) this.#noteClean(name, value);
    }
  }

  #kindOf(name: string): string | undefined {
    const known = this.#kinds.get(name);
    if (known !== undefined || this.#kinds.has(name)) return known;
    const kind = this.#judge.classOf(name);
    if (this.#kinds.size >= KINDS_MAX) this.#kinds.clear();
    this.#kinds.set(name, kind);
    return kind;
  }

  #header(name: string, value: string, where: string): ScanFinding[] {
    const inText = this.text(value, where);
    const more = new Map<string, ScanFinding>();
    for (const hit of this.#byHeader(name, value)) this.#note(more, hit, value, 'plain', 0, where);
    const classes = new Set(inText.map((one) => one.class));
    return [...inText, ...[...more.values()].filter((one) => !classes.has(one.class))];
  }

  #noteClean(name: string, value: string): void {
    const known = this.#clean.get(value);
    // Names that somebody makes up for each request must not fill the memory.
    const names = known === undefined || known.size >= CLEAN_NAMES_MAX ? new Set<string>() : known;
    names.add(name);
    this.#clean.set(value, names);
  }

  *#byHeader(name: string, value: string): Generator<Hit, void, undefined> {
    const plain = name.toLowerCase();
    if (COOKIES.has(plain)) yield* exposedCookies(value, plain === 'set-cookie', this.#judge);
    else {
      const kind = this.#judge.classOf(name);
      if (kind !== undefined && this.#judge.isExposed(kind, value)) yield { class: kind, start: 0, end: value.length };
    }
  }

  *#hits(text: string): Generator<Hit, void, undefined> {
    yield* hitsByForm(text, this.#rules.ip);
    yield* hitsByKey(text, this.#judge);
    if (this.#patterns.length === 0) return;
    const masked = [...text.matchAll(ANY_MASKED)].map(({ index, 0: found }) => [index, index + found.length] as const);
    for (const { class: kind, matches } of this.#patterns) {
      for (const { index, 0: value } of text.matchAll(matches)) {
        const end = index + value.length;
        if (value !== '' && !masked.some(([from, to]) => from < end && index < to))
          yield { class: kind, start: index, end };
      }
    }
  }

  #note(
    found: Map<string, ScanFinding>,
    hit: Hit,
    text: string,
    form: string,
    base: number,
    field: string | undefined,
  ): void {
    const value = text.slice(hit.start, hit.end);
    if (this.#off.has(hit.class) || this.#judge.isKept(value.trim())) return;
    // One value is found in several readings: the first is the plainest.
    const key = `${hit.class}\0${value}`;
    if (found.has(key)) return;
    found.set(key, {
      class: hit.class,
      field,
      offset: form === 'plain' ? hit.start : base,
      form,
      shape: shapeOf(value),
    });
  }
}

/** Of several hits of one class on one place the longest: `+86 138…` is one number and not two. */
function largest(hits: Iterable<Hit>): Hit[] {
  const kept: Hit[] = [];
  const byLength = [...hits].toSorted((a, b) => b.end - b.start - (a.end - a.start) || a.start - b.start);
  const taken = new Map<string, Hit[]>();
  for (const hit of byLength) {
    const same = taken.get(hit.class) ?? [];
    if (same.length < COMPARED_MAX && same.some((other) => other.start < hit.end && hit.start < other.end)) continue;
    same.push(hit);
    taken.set(hit.class, same);
    kept.push(hit);
  }
  return kept.toSorted((a, b) => a.start - b.start);
}

function shapeOf(value: string): string {
  const signs = Array.from(value.trim());
  const stars = '*'.repeat(Math.min(SHAPE_MAX, signs.length) - (signs.length > 0 ? 1 : 0));
  return `${signs[0] ?? ''}${stars}${signs.length > SHAPE_MAX ? '…' : ''}`;
}
