import { ByteCache, type Piece, pieceOf, sameBytes } from './byte-cache.ts';
import { harmlessPathEnd, isHarmless } from './harmless-bytes.ts';
import { SHORTEST } from './mask-form.ts';
import type { FieldRules, MaskedField } from './masker.ts';
import { RANDOM_MIN } from './text-masker.ts';

const SLASH = 47;
const QUESTION = 63;
const HASH = 35;
const AMPERSAND = 38;
const EQUALS = 61;
const AT = 64;
const PERCENT = 37;
const PREFIXES = ['https://', 'http://'].map((text) => pieceOf(Buffer.from(text)));
const AUTHORITY_MAX = 1024;
const DIGITS_MAX = 5;

const KEYS = 2048;
const KEY_MAX = 48;
const PAIRS = 8192;
const PAIR_MAX = 128;

/** What a key says, kept: nothing at all too. */
interface KeyClass {
  kind: string | undefined;
}

/**
 * Masks paths with their queries, and addresses, as bytes: what a path is made of is looked at piece by piece, and a piece
 * that certainly stays as it is never becomes a string. Where that is not certain, the masker's own rules decide about the
 * piece, and where the pieces could have to do with each other, about the whole. All bytes are ASCII.
 */
export class TargetMasker {
  readonly #rules: FieldRules;
  readonly #keys = new ByteCache<KeyClass>(KEYS, KEY_MAX);
  readonly #announcing = new ByteCache<boolean>(KEYS, KEY_MAX);
  readonly #pairs = new ByteCache<MaskedField>(PAIRS, PAIR_MAX);
  /** What has been put together of a path of which a piece changed, and up to where. */
  #text = '';
  #copied = 0;
  #replaced: string[] = [];

  constructor(rules: FieldRules) {
    this.#rules = rules;
  }

  /** A path and its query; undefined: it stays as it is. */
  target(piece: Piece, start: number, end: number): MaskedField | undefined {
    return this.#from(piece, start, start, end);
  }

  /** A Referer or another header that is an address; undefined: it stays as it is. */
  address(piece: Piece, start: number, end: number): MaskedField | undefined {
    const { bytes } = piece;
    if (bytes[start] === SLASH) return this.#from(piece, start, start, end);
    const path = pathAfterAuthority(piece, start, end);
    return path === -1 ? this.#whole(bytes, start, end) : this.#from(piece, start, path, end);
  }

  /** Of the bytes from `start` on those from `path` on are looked at. */
  #from(piece: Piece, start: number, path: number, end: number): MaskedField | undefined {
    const { bytes } = piece;
    if (!this.#rules.builtInForms) return this.#whole(bytes, start, end);
    let question = harmlessPathEnd(bytes, path, end);
    if (question === -1) question = this.#keepsSegments(piece, path, end);
    if (question === -1) return this.#whole(bytes, start, end);
    if (question === end) return undefined;
    this.#text = '';
    this.#copied = start;
    this.#replaced = [];
    for (let at = question + 1; at < end; ) {
      let stop = at;
      let equals = -1;
      for (; stop < end && bytes[stop] !== AMPERSAND; stop++) {
        if (bytes[stop] === EQUALS && equals === -1) equals = stop;
        else if (bytes[stop] === HASH) return this.#whole(bytes, start, end);
      }
      this.#pair(piece, at, equals, stop);
      at = stop + 1;
    }
    if (this.#copied === start) return undefined;
    const text = this.#text + bytes.toString('latin1', this.#copied, end);
    return { text, replaced: this.#replaced.length === 0 ? undefined : this.#replaced };
  }

  #whole(bytes: Buffer, start: number, end: number): MaskedField {
    return this.#rules.path(bytes.toString('latin1', start, end));
  }

  /** Where the segments end: at a question mark or at the end; -1 where the whole has to be looked at. */
  #keepsSegments(piece: Piece, start: number, end: number): number {
    const { bytes } = piece;
    let before = start;
    let beforeEnd = start;
    for (let at = start; ; ) {
      let stop = at;
      while (stop < end && bytes[stop] !== SLASH && bytes[stop] !== QUESTION) stop++;
      if (stop > at) {
        if (stop - at >= RANDOM_MIN && this.#announcesToken(piece, before, beforeEnd)) return -1;
        if (!isHarmless(bytes, at, stop, false) && !this.#keepsSegment(bytes, at, stop)) return -1;
      }
      if (stop >= end || bytes[stop] === QUESTION) return stop;
      before = at;
      beforeEnd = stop;
      at = stop + 1;
    }
  }

  #keepsSegment(bytes: Buffer, start: number, end: number): boolean {
    for (let at = start; at < end; at++) if (bytes[at] === HASH) return false;
    return this.#rules.keepsSegment(bytes.toString('latin1', start, end));
  }

  #announcesToken({ bytes, view }: Piece, start: number, end: number): boolean {
    if (start === end) return false;
    if (end - start > KEY_MAX) return this.#rules.announcesToken(bytes.toString('latin1', start, end));
    const known = this.#announcing.get(view, start, end);
    if (known !== undefined) return known;
    const does = this.#rules.announcesToken(bytes.toString('latin1', start, end));
    this.#announcing.put(bytes, start, end, does);
    return does;
  }

  /** `equals` is -1 where the pair has none: then it is a value without a key. */
  #pair(piece: Piece, start: number, equals: number, end: number): void {
    const { bytes } = piece;
    const valueAt = equals === -1 ? start : equals + 1;
    if (valueAt === end) return;
    const kind = equals <= start ? undefined : this.#classOf(piece, start, equals);
    const isText = kind === undefined || (kind === 'random' && end - valueAt < RANDOM_MIN);
    if (kind === undefined && end - valueAt < SHORTEST) return;
    if (isText && isHarmless(bytes, valueAt, end, true)) return;
    const { text, replaced } = this.#maskedPair(piece, kind, start, equals, end);
    if (replaced !== undefined) this.#replaced.push(...replaced);
    if (replaced === undefined && isSame(bytes, valueAt, end, text)) return;
    this.#text += bytes.toString('latin1', this.#copied, valueAt) + text;
    this.#copied = end;
  }

  #maskedPair(
    { bytes, view }: Piece,
    kind: string | undefined,
    start: number,
    equals: number,
    end: number,
  ): MaskedField {
    const short = end - start <= PAIR_MAX;
    const known = short ? this.#pairs.get(view, start, end) : undefined;
    if (known !== undefined) return known;
    const key = equals <= start ? '' : bytes.toString('latin1', start, equals);
    const written = bytes.toString('latin1', equals === -1 ? start : equals + 1, end);
    const masked = this.#rules.atOnce(kind, written) ?? this.#rules.pair(key, written);
    if (short) this.#pairs.put(bytes, start, end, masked);
    return masked;
  }

  #classOf({ bytes, view }: Piece, start: number, end: number): string | undefined {
    if (end - start > KEY_MAX) return this.#rules.classOf(bytes.toString('latin1', start, end));
    const known = this.#keys.get(view, start, end);
    if (known !== undefined) return known.kind;
    const kind = this.#rules.classOf(bytes.toString('latin1', start, end));
    this.#keys.put(bytes, start, end, { kind });
    return kind;
  }
}

/** Where the path of `https://host/…` begins; -1 where the part before it is not a plain one. */
function pathAfterAuthority({ bytes, view }: Piece, start: number, end: number): number {
  const prefix = PREFIXES.find(
    (one) => end - start >= one.bytes.length && sameBytes(view, start, one.view, 0, one.bytes.length),
  );
  if (prefix === undefined) return -1;
  let digits = 0;
  const from = start + prefix.bytes.length;
  for (let at = from; at < end; at++) {
    const byte = bytes[at]!;
    if (byte === SLASH || byte === QUESTION) return at;
    if (byte === HASH || byte === AT || byte === PERCENT || at - from >= AUTHORITY_MAX) return -1;
    digits = byte >= 48 && byte <= 57 ? digits + 1 : 0;
    if (digits > DIGITS_MAX) return -1;
  }
  return end;
}

function isSame(bytes: Buffer, start: number, end: number, text: string): boolean {
  if (text.length !== end - start) return false;
  for (let at = 0; at < text.length; at++) if (bytes[start + at] !== text.charCodeAt(at)) return false;
  return true;
}
