import { randomBytes } from 'node:crypto';
import { BoundedCache } from './bounded-cache.ts';
import { passesLuhn, residentCheck } from './check-digits.ts';
import { KeyedHash } from './keyed-hash.ts';

const CACHED = 32_768;
const CACHED_LENGTH_MAX = 256;
const TOKEN_MIN = 16;
const TOKEN_MAX = 1024;
const TOKEN_STEP = 8;
const LETTER_A = 97;
/** One for each four bits of a digest. */
const DIGEST_LETTERS = 64;

/** Characters of the primer of a thousand: a name of five of them behind 某 is nobody's. */
const CHARACTERS =
  '天地玄黄宇宙洪荒日月盈昃辰宿列张寒来暑往秋收冬藏闰余成岁律吕调阳云腾致雨露结为霜金生丽水玉出昆冈剑号巨阙珠称夜光果珍李柰';
const HAN = /\p{Script=Han}/u;
const HAN_LENGTH = 5;

/** What stands where a private value stood. Each form is told from a real value at a glance and by `isPseudonym`. */
const FORMS = `masked-[a-p]+|\\*{3,}|某[${CHARACTERS}]{${HAN_LENGTH}}|u[a-p]{16}@masked\\.invalid|s-[a-p]{16}`;
const PSEUDONYM = new RegExp(`^(?:${FORMS})$`);
/** Every pseudonym of letters in a text; global, for `matchAll`. */
export const PSEUDONYMS = new RegExp(FORMS, 'g');

export function isPseudonym(text: string): boolean {
  return PSEUDONYM.test(text);
}

/** Whether digits are those of a masked number: no number plan, card range or province begins like them. */
export function isMaskedNumber(digits: string): boolean {
  return digits.startsWith('1000') || /^(?:(?:00)?86)?10\d{9}$|^10\d{10}/.test(digits);
}

/**
 * Pseudonyms as a function of key, class and value alone (HMAC-SHA-256); the cache, bounded, only saves time. Numbers
 * begin with 10: no mobile number, card or province does; a card's fails Luhn, an identity's its check.
 */
export class Pseudonyms {
  readonly #hash: KeyedHash;
  readonly #letters = Buffer.alloc(DIGEST_LETTERS);
  /** By class; there are as many as there are ways to mask. */
  readonly #known = new Map<string, BoundedCache<string>>();

  /** Without a key a random one, so that nobody can make the same pseudonyms again. */
  constructor(key: string | undefined) {
    this.#hash = new KeyedHash(key ?? randomBytes(32));
  }

  /** Of the same length up to a step, so that a request weighs what it weighed. */
  token(value: string): string {
    const length = Math.min(TOKEN_MAX, Math.max(TOKEN_MIN, Math.ceil(value.length / TOKEN_STEP) * TOKEN_STEP));
    return this.#once('token', value, (text) => `masked-${this.#word(text, length - 'masked-'.length)}`);
  }

  session(value: string): string {
    return this.#once('session', value, (text) => `s-${this.#word(text, 16)}`);
  }

  /** The same, not kept: for who keeps it himself. */
  newSession(value: string): string {
    return `s-${this.#word(`session\0${value}`, 16)}`;
  }

  mail(value: string): string {
    return this.#once('mail', value.toLowerCase(), (text) => `u${this.#word(text, 16)}@masked.invalid`);
  }

  /** For what people write: names and addresses; in the script of the value. */
  words(kind: 'name' | 'address', value: string): string {
    return this.#once(kind, value, (text) =>
      HAN.test(value) ? hanName(this.#hash.hex(text)) : `masked-${this.#word(text, 9)}`,
    );
  }

  /** A Chinese mobile number's eleven digits → eleven. */
  mobile(national: string): string {
    return this.#once('phone', national, (text) => {
      const masked = `10${digitsOf(this.#hash.hex(text), 9)}`;
      return passesLuhn(`86${masked}`) ? bumped(masked) : masked;
    });
  }

  /** Any other telephone number, at least seven digits → as many. */
  phone(digits: string): string {
    return this.#once('phone', digits, (text) =>
      failingLuhn(`1000${digitsOf(this.#hash.hex(text), digits.length - 4)}`),
    );
  }

  /** +999 is nobody's country. */
  international(digits: string): string {
    return this.#once('abroad', digits, (text) =>
      failingLuhn(`999${digitsOf(this.#hash.hex(text), digits.length - 3)}`),
    );
  }

  card(digits: string): string {
    return this.#once('card', digits, (text) => failingLuhn(`10${digitsOf(this.#hash.hex(text), digits.length - 2)}`));
  }

  /** Of 15 or 18 characters; the last is a digit even where it was an X. */
  residentId(id: string): string {
    return this.#once('id', id.toUpperCase(), (text) => {
      let masked = `10${digitsOf(this.#hash.hex(text), id.length - 2)}`;
      while (passesLuhn(masked) || (masked.length === 18 && residentCheck(masked) === masked[17]))
        masked = bumped(masked);
      return masked;
    });
  }

  /** In 240.0.0.0/4, reserved and never routed. */
  ip4(value: string): string {
    return this.#once('ip', value, (text) => {
      const digest = this.#hash.hex(text);
      const byte = (at: number): number => Number.parseInt(digest.slice(at * 2, at * 2 + 2), 16);
      return `${240 + (byte(0) % 15)}.${byte(1)}.${byte(2)}.${byte(3)}`;
    });
  }

  /** In 2001:db8::/32, which is for documentation. */
  ip6(value: string): string {
    return this.#once('ip', value.toLowerCase(), (text) => {
      const digest = this.#hash.hex(text);
      const groups = Array.from({ length: 6 }, (_, at) => digest.slice(at * 4, at * 4 + 4));
      return `2001:db8:${groups.join(':')}`;
    });
  }

  /** What `make` makes of the text that is hashed for a value of a class, or made before. */
  #once(kind: string, value: string, make: (text: string) => string): string {
    if (value.length > CACHED_LENGTH_MAX) return make(`${kind}\0${value}`);
    let known = this.#known.get(kind);
    if (known === undefined) {
      known = new BoundedCache<string>(CACHED);
      this.#known.set(kind, known);
    }
    const before = known.get(value);
    if (before !== undefined) return before;
    const made = make(`${kind}\0${value}`);
    known.set(value, made);
    return made;
  }

  /** Letters alone, so that no run of digits in a pseudonym ever looks like a number of somebody's. */
  #word(text: string, length: number): string {
    const words = this.#hash.words(text);
    const known = Math.min(length, DIGEST_LETTERS);
    // Each four bits become a letter from a to p.
    for (let at = 0; at < known; at++) this.#letters[at] = LETTER_A + ((words[at >>> 3]! >>> (28 - (at & 7) * 4)) & 15);
    const word = this.#letters.toString('latin1', 0, known);
    return length <= known ? word : word.repeat(Math.ceil(length / known)).slice(0, length);
  }
}

function hanName(digest: string): string {
  let text = '某';
  for (let at = 0; at < HAN_LENGTH; at++)
    text += CHARACTERS[Number.parseInt(digest.slice(at * 4, at * 4 + 4), 16) % CHARACTERS.length];
  return text;
}

function digitsOf(digest: string, length: number): string {
  const number = BigInt(`0x${digest}`) % 10n ** BigInt(length);
  return number.toString().padStart(length, '0');
}

function failingLuhn(digits: string): string {
  return passesLuhn(digits) ? bumped(digits) : digits;
}

function bumped(digits: string): string {
  return digits.slice(0, -1) + String((Number(digits.at(-1)) + 1) % 10);
}
