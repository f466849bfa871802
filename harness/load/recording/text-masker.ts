import { findCredentials } from './find-credentials.ts';
import { findEncoded, withoutEscapes } from './find-encoded.ts';
import { findIps, findMails, findPatterns } from './find-mails.ts';
import { findNamed } from './find-named.ts';
import { findNumbers } from './find-numbers.ts';
import { maskForm } from './mask-form.ts';
import { maskJson } from './mask-json.ts';
import { isMultipart, maskMultipart } from './mask-multipart.ts';
import { isMaskedNumber, isPseudonym } from './pseudonyms.ts';
import type { RuleSet } from './rule-set.ts';
import { DEPTH_MAX, type SecretContext } from './secret-context.ts';
import { isSuspect } from './suspicion.ts';
import { TextEdits } from './text-edits.ts';

/** Says what stands for a value of a class; the value itself when it is masked already. */
export type Replace = (kind: string, written: string) => string;

/** A replaced number beside another one may make a third; more rounds than this no text has needed. */
const ROUNDS_MAX = 16;
const WIDE = /[\uff01-\uff5e]/;
/** A value at least behind the first sign: base64 may end with such signs too. */
const FORM = /^[\w.%[\]+~*-]{1,64}=(?:[^\s<>{}"=&][^\s<>{}"]*$|[^\s<>{}"]*&[^\s<>{}"]*$)/;
const SCHEME = /^(bearer|basic|digest|negotiate|token|apikey|[a-z0-9]+-hmac-sha\d+)(\s+)(\S.*)$/is;
const LIST = /[,;/、，；|]/;

/** Knows what is private in a text of any format, and puts there what `replace` says. */
export class TextMasker {
  readonly rules: RuleSet;
  readonly #replace: Replace;
  readonly #contexts: readonly SecretContext[];

  constructor(rules: RuleSet, replace: Replace) {
    this.rules = rules;
    this.#replace = replace;
    this.#contexts = Array.from({ length: DEPTH_MAX + 1 }, (_, depth) => this.#contextAt(depth));
  }

  /** Whether a text without keys can hold anything that the rules look for. */
  isSuspect(text: string): boolean {
    return this.rules.patterns.length > 0 || isSuspect(text);
  }

  /** Running text, a log line, a header's value. Masking the result again changes nothing. */
  text(text: string, depth = 0): string {
    if (!this.isSuspect(text)) return text;
    return untilStable(text, (now) => this.#pass(now, depth));
  }

  /** A body or a value that may be JSON, a form, or neither. */
  body(text: string, depth = 0): string {
    if (!this.isSuspect(text)) return text;
    const first = /^[\s\ufeff]*([[{])/.exec(text.slice(0, 64))?.[1];
    if (first !== undefined && depth < DEPTH_MAX) return maskJson(text, this, depth);
    if (isMultipart(text) && depth < DEPTH_MAX) return maskMultipart(text, this, depth);
    if (FORM.test(text.slice(0, 4096)) && depth < DEPTH_MAX) return maskForm(text, this, depth);
    return this.text(text, depth);
  }

  /** A value whose key says its class. What does not look like one is looked at as any text. */
  byKey(kind: string, value: string, depth = 0): string {
    if (value === '' || isPseudonym(value) || this.rules.keeps(value)) return value;
    if (kind === 'token') return this.#token(value);
    if (kind === 'random') return looksRandom(value) ? this.#token(value) : this.body(value, depth);
    if (kind === 'phone' || kind === 'card') return untilStable(value, (now) => this.#number(kind, now, depth));
    if (kind === 'mail') return this.body(value, depth);
    if (kind === 'ip') return this.text(value, depth);
    if (kind === 'name' || kind === 'address')
      return /\p{L}/u.test(value) ? this.#words(kind, value, depth) : this.text(value, depth);
    if (kind === 'id') return this.#id(value, depth);
    return this.#replace(kind, value);
  }

  #token(value: string): string {
    if (/^(?:true|false|null|undefined|\d)$/.test(value)) return value;
    const scheme = SCHEME.exec(value);
    if (scheme === null) return this.#replace('token', value);
    const [, name, gap, rest] = scheme;
    return name! + gap! + (isPseudonym(rest!) ? rest! : this.#replace('token', rest!));
  }

  /** Each number of a list on its own; digits that no form explains too, once there are enough of them. */
  #number(kind: 'phone' | 'card', value: string, depth: number): string {
    const enough = kind === 'phone' ? 7 : 12;
    const masked = this.text(value, depth);
    return masked
      .split(/([,;/、，；|\n])/)
      .map((part) => {
        const digits = part.replace(/\D/g, '');
        if (digits.length < enough || digits.length > 32 || LIST.test(part)) return part;
        const groups = [digits, ...(part.match(/\d+/g) ?? [])];
        if (
          groups.some((group) => isMaskedNumber(group)) ||
          (/^[^\d]*\+/.test(part) && digits.startsWith('999')) ||
          this.rules.keeps(part)
        )
          return part;
        return this.#replace(kind, part);
      })
      .join('');
  }

  #words(kind: 'name' | 'address', value: string, depth: number): string {
    // A mail address or a telephone number for a name is masked as what it is, so that it joins with the others.
    const masked = this.text(value, depth);
    return masked !== value && (isPseudonym(masked) || !/\p{L}/u.test(masked)) ? masked : this.#replace(kind, value);
  }

  #id(value: string, depth: number): string {
    const masked = this.text(value, depth);
    const signs = masked.replace(/[^\p{L}\p{N}]/gu, '');
    const isNumber = /^[\d -]+$/.test(masked) && isMaskedNumber(signs);
    if (isPseudonym(masked) || isNumber || signs.length < 5 || !/\d/.test(signs)) return masked;
    return this.#replace('id', value);
  }

  #pass(text: string, depth: number): string {
    if (depth < DEPTH_MAX) {
      const plain = withoutEscapes(text);
      const masked = plain === undefined ? undefined : this.text(plain, depth + 1);
      if (masked !== undefined && masked !== plain) return masked;
    }
    const edits = new TextEdits();
    const context = this.#contexts[Math.min(depth, DEPTH_MAX)]!;
    // One character for one, so that places are the same in both.
    const folded = WIDE.test(text) ? text.replace(/[\uff01-\uff5e]/g, toNarrow) : text;
    findPatterns(folded, edits, context);
    findNamed(folded, edits, context);
    findCredentials(folded, edits, context);
    findEncoded(folded, edits, context);
    findMails(folded, edits, context);
    findNumbers(withoutPercent(folded), edits, context);
    findIps(folded, edits, context);
    return edits.applyTo(text);
  }

  #contextAt(depth: number): SecretContext {
    return {
      rules: this.rules,
      depth,
      replace: this.#replace,
      byKey: (kind, value, below) => this.byKey(kind, value, below),
      text: (text, below) => this.text(text, below),
      body: (text, below) => this.body(text, below),
    };
  }
}

/** Rewrites again what was rewritten, until nothing changes: a pseudonym beside its neighbours may read as something new. */
export function untilStable(text: string, rewrite: (text: string) => string): string {
  let now = text;
  for (let round = 0; round < ROUNDS_MAX; round++) {
    const next = rewrite(now);
    if (next === now) break;
    now = next;
  }
  return now;
}

/** The digits of an escape, once or twice encoded, belong to no number; places stay what they are. */
function withoutPercent(text: string): string {
  return text.includes('%') ? text.replace(/%(?:25)*[0-9A-Fa-f]{2}/g, (sign) => '\0'.repeat(sign.length)) : text;
}

function toNarrow(wide: string): string {
  return String.fromCharCode(wide.charCodeAt(0) - 0xfee0);
}

/** What is shorter is no machine's token. */
export const RANDOM_MIN = 20;

/** Letters and digits mixed, long enough, not a sentence: what a machine made. */
export function looksRandom(value: string): boolean {
  return value.length >= RANDOM_MIN && /^[\w+/=.~-]+$/.test(value) && /\d/.test(value) && /[a-z]/i.test(value);
}
