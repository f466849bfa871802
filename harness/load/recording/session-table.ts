import { ByteReader, ByteWriter } from './byte-buffer.ts';

const CAPACITY = 1 << 18;
/** The table is never fuller than this, so that looking a session up stays short. */
const FULL = CAPACITY / 2;

/** One visit: how many requests it made and between which times, epoch ms. */
export interface SessionSpan {
  requests: number;
  firstMs: number;
  lastMs: number;
}

/** The same number for the same session everywhere: what a stripe of a replay is chosen by. 32 bits, FNV-1a mixed. */
export function sessionHash(session: string): number {
  let hash = 0x811c9dc5;
  for (let at = 0; at < session.length; at++) hash = Math.imul(hash ^ session.charCodeAt(at), 0x01000193);
  return mixed(hash);
}

/** Bits of another hash beside those of the first, in one number: 53 together tell sessions apart and fit a double. */
export function sessionKey(session: string): number {
  let hash = 0x811c9dc5;
  let other = 0x9747b28c ^ session.length;
  for (let at = 0; at < session.length; at++) {
    const code = session.charCodeAt(at);
    hash = Math.imul(hash ^ code, 0x01000193);
    other = Math.imul(other ^ code, 0x5bd1e995);
  }
  other = Math.imul(other ^ (other >>> 15), 0x2c1b3c6d);
  return ((other ^ (other >>> 13)) >>> 11) * 2 ** 32 + mixed(hash);
}

function mixed(hash: number): number {
  let mix = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b);
  mix = Math.imul(mix ^ (mix >>> 13), 0xc2b2ae35);
  return (mix ^ (mix >>> 16)) >>> 0;
}

/** An entry: both hashes in one number, requests (0: free), first and last time. One line of the processor's cache. */
const KEY = 0;
const REQUESTS = 1;
const FIRST = 2;
const LAST = 3;
const WIDTH = 4;

/**
 * Who visited, in constant memory: exact up to 131,072 sessions. Beyond that it keeps those whose hash divides by 2,
 * then by 4, and so on (every session is as likely to be kept as any other, and whoever is kept is counted in full), so
 * the number of sessions is an estimate and the quantiles are a sample's.
 */
export class SessionTable {
  #entries = new Float64Array(CAPACITY * WIDTH);
  #kept = 0;
  /** Of this many sessions one is kept; a power of two. */
  oneOf = 1;
  /** Requests that belong to no session. */
  without = 0;

  /** In any order of time. */
  add(session: string | undefined, atMs: number): void {
    if (session === undefined) {
      this.without++;
      return;
    }
    this.addKey(sessionKey(session), atMs);
  }

  /** The same by what `sessionKey` makes of the session. */
  addKey(key: number, atMs: number): void {
    if (this.oneOf === 1 || (key % 2 ** 32) % this.oneOf === 0) this.#count(key, 1, atMs, atMs);
  }

  /** How many sessions there are; exact while `oneOf` is 1. */
  get sessions(): number {
    return this.#kept * this.oneOf;
  }

  /** Those that are kept, in no particular order. */
  spans(): SessionSpan[] {
    const entries = this.#entries;
    const spans: SessionSpan[] = [];
    for (let at = 0; at < entries.length; at += WIDTH) {
      if (entries[at + REQUESTS] === 0) continue;
      spans.push({ requests: entries[at + REQUESTS]!, firstMs: entries[at + FIRST]!, lastMs: entries[at + LAST]! });
    }
    return spans;
  }

  #count(key: number, requests: number, firstMs: number, lastMs: number): void {
    const entries = this.#entries;
    // The first hash's low bits choose who is kept, so the place comes from the other.
    let at = (Math.floor(key / 2 ** 32) % CAPACITY) * WIDTH;
    while (entries[at + REQUESTS] !== 0 && entries[at + KEY] !== key) at = (at + WIDTH) % entries.length;
    if (entries[at + REQUESTS] === 0) {
      if (this.#kept === FULL) {
        this.#halve();
        if ((key % 2 ** 32) % this.oneOf === 0) this.#count(key, requests, firstMs, lastMs);
        return;
      }
      this.#kept++;
      entries[at + KEY] = key;
      entries[at + FIRST] = firstMs;
      entries[at + LAST] = lastMs;
    }
    entries[at + REQUESTS]! += requests;
    if (firstMs < entries[at + FIRST]!) entries[at + FIRST] = firstMs;
    if (lastMs > entries[at + LAST]!) entries[at + LAST] = lastMs;
  }

  #halve(): void {
    this.oneOf *= 2;
    const before = this.#entries;
    this.#entries = new Float64Array(CAPACITY * WIDTH);
    this.#kept = 0;
    for (let at = 0; at < before.length; at += WIDTH) {
      const key = before[at + KEY]!;
      if (before[at + REQUESTS] === 0 || (key % 2 ** 32) % this.oneOf !== 0) continue;
      this.#count(key, before[at + REQUESTS]!, before[at + FIRST]!, before[at + LAST]!);
    }
  }
}

/** What a recording keeps of the table. */
export interface StoredSessions {
  oneOf: number;
  without: number;
  spans: SessionSpan[];
}

/** Spans by their first time, in whole ms: small differences compress well. */
export function encodeSessions(table: SessionTable): Buffer {
  const out = new ByteWriter();
  const spans = table.spans().sort((a, b) => a.firstMs - b.firstMs || a.lastMs - b.lastMs || a.requests - b.requests);
  out.varint(table.oneOf);
  out.varint(table.without);
  out.varint(spans.length);
  let before = 0;
  for (const span of spans) {
    const first = Math.floor(span.firstMs);
    out.varint(first - before);
    out.varint(Math.ceil(span.lastMs) - first);
    out.varint(span.requests);
    before = first;
  }
  return Buffer.from(out.bytes);
}

/** Throws a RangeError when the bytes are not such a table. */
export function decodeSessions(bytes: Buffer): StoredSessions {
  const reader = new ByteReader(bytes);
  const oneOf = reader.varint();
  const without = reader.varint();
  const length = reader.varint();
  const spans: SessionSpan[] = [];
  let firstMs = 0;
  for (let span = 0; span < length; span++) {
    firstMs += reader.varint();
    const lastMs = firstMs + reader.varint();
    spans.push({ requests: reader.varint(), firstMs, lastMs });
  }
  return { oneOf, without, spans };
}
