const EQUALS = 61;
const KEY_MAX = 64;
const KEYS_MAX = 4096;
/** As long as base64 must be for somebody to read it, and as a key with a form of its own is at least. */
const RUN_MIN = 12;
/** One group of fewer digits, or several with fewer in all, are no number of any form that has no plus before it. */
const GROUP_MIN = 11;
const GROUPS_MIN = 10;
/** Numbers of cards, and of identities in their old and new forms. */
const CARD_MIN = 13;
const CARD_MAX = 19;
const ID_LENGTHS: ReadonlySet<number> = new Set([15, 17, 18]);
const ADDRESS = /^https?:\/\//;
const ISSUED = /eyJ|AKIA|ASIA|LTAI|gh[oprsu]_|[rs]k_|xox/;

const KIND = { digit: 1, word: 2, gap: 3, sign: 4, pair: 5 } as const;

/** What a character is to the forms; 0: only a thorough look can tell. */
const KINDS = Uint8Array.from({ length: 128 }, (_, code) => {
  const character = String.fromCharCode(code);
  if (/[0-9]/.test(character)) return KIND.digit;
  if (/[A-Za-z_/]/.test(character)) return KIND.word;
  if (/[-.]/.test(character)) return KIND.gap;
  if (/[!$*,~]/.test(character)) return KIND.sign;
  return /[?&=]/.test(character) ? KIND.pair : 0;
});

const ALPHABET = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/';
const SIX_BITS = Uint8Array.from({ length: 128 }, (_, code) =>
  code === 45 ? 62 : code === 95 ? 63 : Math.max(0, ALPHABET.indexOf(String.fromCharCode(code))),
);

/**
 * Tells most paths and addresses to be clean without a thorough look. What it says is proved by the forms and keys that a
 * thorough look goes by, not by what the masker does; it says nothing where patterns of a user's own are looked for.
 */
export class QuickLook {
  readonly #classOf: (key: string) => string | undefined;
  /** Whether a key says nothing. */
  readonly #keys = new Map<string, boolean>();
  readonly #knowsAddresses: boolean;

  constructor(classOf: (key: string) => string | undefined) {
    this.#classOf = classOf;
    this.#knowsAddresses = classOf('http') === undefined && classOf('https') === undefined;
  }

  /** True: a thorough look finds nothing in it. False says nothing. */
  isClean(text: string): boolean {
    const prefix = this.#knowsAddresses && text.startsWith('http') ? (ADDRESS.exec(text)?.[0].length ?? 0) : 0;
    // Both slashes of an address belong to the first run.
    let run = Math.max(0, prefix - 2);
    let pairAt = -1;
    let groupAt = 0;
    let groupEnd = -1;
    let groups = 0;
    let digits = 0;
    for (let at = prefix; at < text.length; at++) {
      const code = text.charCodeAt(at);
      const kind = code < 128 ? KINDS[code]! : 0;
      if (kind === KIND.digit) {
        if (groupEnd === at && groups > 0) {
          groupEnd++;
          digits++;
          continue;
        }
        if (groups > 0 && !(at - groupEnd <= 2 && isGap(text, groupEnd, at))) {
          if (!areNobodys(text, groups, digits, groupAt)) return false;
          groups = 0;
          digits = 0;
        }
        groups++;
        digits++;
        groupAt = at;
        groupEnd = at + 1;
      } else if (kind === 0) return false;
      else if (kind !== KIND.word && code !== 45) {
        if (at - run >= RUN_MIN && !isNoText(text, run, at)) return false;
        run = at + 1;
        if (kind === KIND.pair) {
          if (code === EQUALS && !this.#saysNothing(text, pairAt, at)) return false;
          pairAt = code === EQUALS ? -1 : at + 1;
        }
      }
    }
    if (text.length - run >= RUN_MIN && !isNoText(text, run, text.length)) return false;
    return areNobodys(text, groups, digits, groupAt) && !ISSUED.test(text);
  }

  /** The key of a pair, between a question mark or an ampersand and the equals sign. */
  #saysNothing(text: string, start: number, end: number): boolean {
    if (start === -1 || start === end || end - start > KEY_MAX) return false;
    const key = text.slice(start, end);
    const known = this.#keys.get(key);
    if (known !== undefined) return known;
    const says = /^[\w.-]+$/.test(key) && this.#classOf(key) === undefined;
    if (this.#keys.size >= KEYS_MAX) this.#keys.clear();
    this.#keys.set(` ${key}`.slice(1), says);
    return says;
  }
}

function isGap(text: string, start: number, end: number): boolean {
  for (let at = start; at < end; at++) {
    const code = text.charCodeAt(at);
    if (code !== 45 && code !== 46) return false;
  }
  return true;
}

/** Digits in groups with gaps between them; `at` is where the last group begins. */
function areNobodys(text: string, groups: number, digits: number, at: number): boolean {
  if (groups !== 1) return digits < GROUPS_MIN;
  if (digits < GROUP_MIN || digits > CARD_MAX) return true;
  const first = text.charCodeAt(at) - 48;
  if (digits === GROUP_MIN) return first !== 1 || text.charCodeAt(at + 1) - 48 < 3;
  if (ID_LENGTHS.has(digits) || first === 0) return false;
  // A mobile number behind 86; a card begins with 2 to 6 or 9.
  if (digits === CARD_MIN && first === 8) return false;
  return digits < CARD_MIN || first === 1 || first === 7 || first === 8;
}

/** Whether a run certainly is no base64 of a text: its first bytes have a control character or are no UTF-8. */
function isNoText(text: string, start: number, end: number): boolean {
  let left = 0;
  for (let at = start; at + 4 <= end; at += 4) {
    let three = 0;
    for (let step = 0; step < 4; step++) three = (three << 6) | SIX_BITS[text.charCodeAt(at + step)]!;
    for (let shift = 16; shift >= 0; shift -= 8) {
      const byte = (three >>> shift) & 0xff;
      if (left > 0) {
        if ((byte & 0xc0) !== 0x80) return true;
        left--;
      } else if (byte < 0x80) {
        if (byte < 9 || (byte > 13 && byte < 32) || byte === 127) return true;
      } else if (byte < 0xc2 || byte > 0xf4) return true;
      else left = byte < 0xe0 ? 1 : byte < 0xf0 ? 2 : 3;
    }
  }
  return false;
}
