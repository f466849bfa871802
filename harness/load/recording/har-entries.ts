const QUOTE = 34;
const BACKSLASH = 92;
const COLON = 58;
const OPEN_BRACKET = 91;
const CLOSE_BRACKET = 93;
const OPEN_BRACE = 123;
const CLOSE_BRACE = 125;

/** A larger entry is passed over and counted. */
export const MOST_ENTRY_BYTES = 64 * 1024 * 1024;
/** Within the outermost object, and within `log`. */
const DEPTH_OF_LOG = 1;
const DEPTH_OF_ENTRIES = 2;
const DEPTH_OF_ENTRY = 3;
const LONGEST_KEY = 64;

export interface EntrySink {
  /** The bytes of one element of `log.entries`, as JSON; good until it returns. */
  entry(json: Buffer): void;
  tooLarge(start: Buffer): void;
}

/**
 * Finds the elements of `log.entries` in a HAR that comes piece by piece, without holding more than one of them. It
 * looks at brackets, quotes and keys only: whether an element is sound JSON is its reader's to find out.
 */
export class HarEntries {
  readonly #sink: EntrySink;
  #depth = 0;
  #inText = false;
  #escaped = false;
  /** The text read last, at the depths where keys matter. */
  #text = '';
  readonly #keys = ['', '', ''];
  #inEntries = false;
  #inEntry = false;
  #parts: Buffer[] = [];
  #partBytes = 0;
  /** Whether `log.entries` was there. */
  found = false;
  /** Whether it came to its end. */
  complete = false;

  constructor(sink: EntrySink) {
    this.#sink = sink;
  }

  /** Whether the bytes ended within an element. */
  get cutOff(): boolean {
    return this.#inEntry;
  }

  push(piece: Buffer): void {
    let start = 0;
    for (let at = 0; at < piece.length; at++) {
      const byte = piece[at]!;
      if (this.#inText) {
        this.#textByte(byte);
        continue;
      }
      switch (byte) {
        case QUOTE:
          this.#inText = true;
          this.#text = '';
          break;
        case COLON:
          if (this.#depth <= DEPTH_OF_ENTRIES) this.#keys[this.#depth] = this.#text;
          break;
        case OPEN_BRACE:
        case OPEN_BRACKET:
          if (this.#open(byte)) start = at;
          break;
        case CLOSE_BRACE:
        case CLOSE_BRACKET:
          if (this.#close()) this.#give(piece.subarray(start, at + 1));
          break;
      }
    }
    if (this.#inEntry) this.#keep(piece.subarray(start));
  }

  #textByte(byte: number): void {
    if (this.#escaped) this.#escaped = false;
    else if (byte === BACKSLASH) this.#escaped = true;
    else if (byte === QUOTE) this.#inText = false;
    else if (this.#depth <= DEPTH_OF_ENTRIES && this.#text.length < LONGEST_KEY)
      this.#text += String.fromCharCode(byte);
  }

  /** True when an element begins here. */
  #open(byte: number): boolean {
    const begins = this.#inEntries && this.#depth === DEPTH_OF_ENTRY;
    const isEntries =
      byte === OPEN_BRACKET &&
      this.#depth === DEPTH_OF_ENTRIES &&
      this.#keys[DEPTH_OF_LOG] === 'log' &&
      this.#keys[DEPTH_OF_ENTRIES] === 'entries';
    if (isEntries) {
      this.#inEntries = true;
      this.found = true;
    }
    if (begins) this.#inEntry = true;
    this.#depth++;
    return begins;
  }

  /** True when an element ends here. */
  #close(): boolean {
    this.#depth--;
    if (this.#inEntry) return this.#depth === DEPTH_OF_ENTRY;
    if (this.#inEntries && this.#depth < DEPTH_OF_ENTRY) {
      this.#inEntries = false;
      this.complete = true;
    }
    return false;
  }

  #keep(part: Buffer): void {
    this.#partBytes += part.length;
    if (this.#partBytes <= MOST_ENTRY_BYTES) this.#parts.push(Buffer.from(part));
    else this.#parts = this.#parts.slice(0, 1);
  }

  #give(last: Buffer): void {
    const tooLarge = this.#partBytes + last.length > MOST_ENTRY_BYTES;
    const json = this.#parts.length === 0 ? last : Buffer.concat([...this.#parts, last]);
    this.#inEntry = false;
    this.#parts = [];
    this.#partBytes = 0;
    if (tooLarge) this.#sink.tooLarge(json.subarray(0, 1024));
    else this.#sink.entry(json);
  }
}
