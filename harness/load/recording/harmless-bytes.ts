import { RANDOM_MIN } from './text-masker.ts';

const QUESTION = 63;
/** The last of `eyJ`, with which base64 of an object begins. */
const LARGE_J = 74;

/** What a byte can be part of, for who looks at a value as bytes. All others are not judged here. */
const DIGIT = 1;
const LETTER = 2;
const DASH = 3;
const GAP = 4;
const APART = 5;
const SLASH = 6;
const PLUS = 7;

/** No number of any class has fewer digits in one group, and none in several groups has fewer without a plus. */
const GROUP_DIGITS_MIN = 11;
const GROUPS_DIGITS_MIN = 10;
/** No key that its maker gave a form has fewer characters, and no base64 is looked into that is shorter. */
const ISSUED_MIN = 15;
const BASE64_MIN = 16;

const KINDS = Uint8Array.from({ length: 256 }, (_, code) => {
  const character = String.fromCharCode(code);
  if (/[0-9]/.test(character)) return DIGIT;
  if (/[A-Za-z_]/.test(character)) return LETTER;
  if (/[!$'*,~]/.test(character)) return APART;
  return { '-': DASH, '.': GAP, '/': SLASH, '+': PLUS }[character] ?? 0;
});

/** The six bits that a character of base64 stands for, in either alphabet. */
const SIX_BITS = Uint8Array.from({ length: 256 }, (_, code) => {
  const at = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/'.indexOf(String.fromCharCode(code));
  return at >= 0 ? at : code === 45 ? 62 : code === 95 ? 63 : 0;
});

/** Whether an identity number can begin with these two digits. */
const PROVINCE = Uint8Array.from({ length: 100 }, (_, number) =>
  /^(?:1[1-5]|2[1-3]|3[1-7]|4[1-6]|5[0-4]|6[1-5]|71|8[1-3]|91)$/.test(String(number)) ? 1 : 0,
);

/**
 * Whether the built-in rules certainly find nothing private in a value, told from its bytes in one pass; false says
 * nothing. Judged are letters, digits and `-._~!$'*,`; in a value of a query (`inQuery`) also slashes, and a plus that
 * stands for a space. What could begin to be a number, a token, a key or a readable base64 is not harmless.
 */
export function isHarmless(bytes: Uint8Array, start: number, end: number, inQuery: boolean): boolean {
  let run = start;
  let groupAt = 0;
  let groupEnd = -1;
  let groups = 0;
  let digits = 0;
  /** Whether the next digit belongs to the groups before it. */
  let joined = false;
  for (let at = start; at < end; at++) {
    const kind = KINDS[bytes[at]!]!;
    if (kind === DIGIT) {
      if (joined && groupEnd === at) groupEnd = at + 1;
      else {
        if (!joined || at - groupEnd > 2) {
          if (!areHarmlessDigits(bytes, groups, digits, groupAt, groupEnd, end)) return false;
          groups = 0;
          digits = 0;
          joined = true;
        }
        groups++;
        groupAt = at;
        groupEnd = at + 1;
      }
      digits++;
      continue;
    }
    if (kind === LETTER) {
      joined = false;
      if (bytes[at] === LARGE_J && at >= start + 2 && bytes[at - 1] === 121 && bytes[at - 2] === 101) return false;
      continue;
    }
    if (kind === DASH) {
      // `-----BEGIN`: a key in its block, whose spaces may be pluses.
      if (at >= start + 4 && isDashes(bytes, at - 4, at)) return false;
      continue;
    }
    if (kind === GAP || kind === APART) {
      if (kind === APART) joined = false;
    } else if (!inQuery || kind === 0) return false;
    else if (kind === SLASH) {
      joined = false;
      continue;
    } else if (at < start + 2 || mayEndScheme(bytes[at - 2]!, bytes[at - 1]!)) return false;
    if (at - run >= ISSUED_MIN && !isHarmlessRun(bytes, run, at)) return false;
    run = at + 1;
  }
  return (
    (end - run < ISSUED_MIN || isHarmlessRun(bytes, run, end)) &&
    areHarmlessDigits(bytes, groups, digits, groupAt, groupEnd, end)
  );
}

/**
 * Where the segments of a path end, at its question mark or at `end`, when each of them is certainly harmless and too
 * short to be a token that the one before it announces, as most are; -1 says nothing.
 */
export function harmlessPathEnd(bytes: Uint8Array, start: number, end: number): number {
  let from = start;
  let digits = 0;
  for (let at = start; ; at++) {
    const byte = at < end ? bytes[at]! : QUESTION;
    const kind = KINDS[byte]!;
    if (kind === DIGIT) digits++;
    else if (kind === SLASH || byte === QUESTION) {
      const length = at - from;
      if (length >= RANDOM_MIN) return -1;
      if ((length >= ISSUED_MIN || digits >= GROUPS_DIGITS_MIN) && !isHarmless(bytes, from, at, false)) return -1;
      if (kind !== SLASH) return at;
      from = at + 1;
      digits = 0;
    } else if (kind === 0 || kind === PLUS || byte === LARGE_J) return -1;
  }
}

function isDashes(bytes: Uint8Array, start: number, end: number): boolean {
  for (let at = start; at < end; at++) if (bytes[at] !== 45) return false;
  return true;
}

/** `Bearer x` and `Basic x` are known by what stands before the space: -er, -ic. */
function mayEndScheme(one: number, other: number): boolean {
  return ((one | 32) === 101 && (other | 32) === 114) || ((one | 32) === 105 && (other | 32) === 99);
}

/** Groups of digits with at most two gaps between them; the last one is at hand. */
function areHarmlessDigits(
  bytes: Uint8Array,
  groups: number,
  digits: number,
  at: number,
  groupEnd: number,
  end: number,
): boolean {
  if (groups !== 1) return digits < GROUPS_DIGITS_MIN;
  if (digits < GROUP_DIGITS_MIN) return true;
  const first = bytes[at]! - 48;
  const second = bytes[at + 1]! - 48;
  // A mobile number, alone or behind 86 or 0086.
  if (digits === 11) return first !== 1 || second < 3;
  if (digits === 13 && first === 8 && second === 6) return false;
  if (digits === 15 && first === 0) return false;
  const isId = digits === 15 || digits === 18 || (digits === 17 && groupEnd < end && (bytes[groupEnd]! | 32) === 120);
  if (isId && PROVINCE[first * 10 + second] === 1) return false;
  const isCard = digits >= 13 && digits <= 19 && first >= 2 && first !== 7 && first !== 8;
  return !isCard || !passesLuhn(bytes, at, groupEnd);
}

function passesLuhn(bytes: Uint8Array, start: number, end: number): boolean {
  let sum = 0;
  for (let at = end - 1, doubled = false; at >= start; at--, doubled = !doubled) {
    const digit = bytes[at]! - 48;
    sum += !doubled ? digit : digit > 4 ? digit * 2 - 9 : digit * 2;
  }
  return sum % 10 === 0;
}

/** A run of letters, digits, dashes and slashes. */
function isHarmlessRun(bytes: Uint8Array, start: number, end: number): boolean {
  return !mayBeIssued(bytes, start, end) && (end - start < BASE64_MIN || isNoText(bytes, start, end));
}

/** Whether one of the ways begins in it in which keys with a form of their own do: `AKIA`, `ghp_`, `sk-` and so on. */
function mayBeIssued(bytes: Uint8Array, start: number, end: number): boolean {
  for (let at = start; at < end - 2; at++) {
    const second = bytes[at + 1];
    switch (bytes[at]) {
      case 65: // AK, AS, AI
        if (second === 75 || second === 83 || second === 73) return true;
        break;
      case 76: // LT
        if (second === 84) return true;
        break;
      case 103: // gh, gi, gl
        if (second === 104 || second === 105 || second === 108) return true;
        break;
      case 120: // xo
        if (second === 111) return true;
        break;
      case 114: // rk_
        if (second === 107 && bytes[at + 2] === 95) return true;
        break;
      case 115: // sk_, sk-
        if (second === 107 && (bytes[at + 2] === 95 || bytes[at + 2] === 45)) return true;
        break;
      default:
    }
  }
  return false;
}

/** Whether a run certainly is no base64 of a text: a wrong length, a control character or broken UTF-8 in it. */
function isNoText(bytes: Uint8Array, start: number, end: number): boolean {
  if ((end - start) % 4 === 1) return true;
  let left = 0;
  let least = 0x80;
  let most = 0xbf;
  for (let at = start; at + 4 <= end; at += 4) {
    const three =
      (SIX_BITS[bytes[at]!]! << 18) |
      (SIX_BITS[bytes[at + 1]!]! << 12) |
      (SIX_BITS[bytes[at + 2]!]! << 6) |
      SIX_BITS[bytes[at + 3]!]!;
    for (let shift = 16; shift >= 0; shift -= 8) {
      const byte = (three >>> shift) & 0xff;
      if (left > 0) {
        if (byte < least || byte > most) return true;
        left--;
        least = 0x80;
        most = 0xbf;
      } else if (byte < 0x80) {
        if ((byte < 32 && byte !== 9 && byte !== 10 && byte !== 13) || byte === 127) return true;
      } else if (byte < 0xc2 || byte > 0xf4) return true;
      else if (byte < 0xe0) left = 1;
      else if (byte < 0xf0) {
        left = 2;
        if (byte === 0xe0) least = 0xa0;
        if (byte === 0xed) most = 0x9f;
      } else {
        left = 3;
        if (byte === 0xf0) least = 0x90;
        if (byte === 0xf4) most = 0x8f;
      }
    }
  }
  return false;
}
