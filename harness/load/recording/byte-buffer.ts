/** Shorter texts are written faster char by char than by a call into the runtime. */
const SHORT = 24;
/** So many bytes are copied faster one by one than by the runtime. */
const COPIED_ALONE = 64;
/** Lengths below take one byte. */
const ONE_BYTE = 128;

/** Bytes that grow while they are written: whole numbers as base-128 varints, texts as UTF-8 behind their length. */
export class ByteWriter {
  #bytes: Buffer;
  #length = 0;

  constructor(capacity = 1024) {
    this.#bytes = Buffer.allocUnsafeSlow(capacity);
  }

  get length(): number {
    return this.#length;
  }

  /** What was written; valid until the next write. */
  get bytes(): Buffer {
    return this.#bytes.subarray(0, this.#length);
  }

  clear(): void {
    this.#length = 0;
  }

  /** A whole number from 0 to 2^53 - 1. */
  varint(value: number): void {
    if (this.#length + 8 > this.#bytes.length) this.#grow(8);
    const bytes = this.#bytes;
    let at = this.#length;
    let rest = value;
    while (rest > 0x7fff_ffff) {
      bytes[at++] = (rest % 128) | 0x80;
      rest = Math.floor(rest / 128);
    }
    while (rest > 0x7f) {
      bytes[at++] = (rest & 0x7f) | 0x80;
      rest >>>= 7;
    }
    bytes[at++] = rest;
    this.#length = at;
  }

  text(text: string): void {
    if (text.length <= SHORT && this.#short(text)) return;
    if (text.length < ONE_BYTE) {
      this.#oneByteLength(text);
      return;
    }
    const length = Buffer.byteLength(text);
    this.varint(length);
    if (this.#length + length > this.#bytes.length) this.#grow(length);
    // Nothing but ASCII has as many bytes as chars.
    this.#bytes.write(text, this.#length, length === text.length ? 'latin1' : 'utf8');
    this.#length += length;
  }

  /** Bytes of text that are UTF-8 already, behind their length. */
  run(bytes: Uint8Array, start: number, end: number): void {
    const length = end - start;
    if (this.#length + length + 8 > this.#bytes.length) this.#grow(length + 8);
    if (length < ONE_BYTE) this.#bytes[this.#length++] = length;
    else this.varint(length);
    const to = this.#bytes;
    const at = this.#length;
    if (length <= COPIED_ALONE) for (let step = 0; step < length; step++) to[at + step] = bytes[start + step]!;
    else to.set(bytes.subarray(start, end), at);
    this.#length = at + length;
  }

  /** One byte. */
  byte(value: number): void {
    if (this.#length === this.#bytes.length) this.#grow(1);
    this.#bytes[this.#length++] = value;
  }

  append(bytes: Uint8Array): void {
    const { length } = bytes;
    if (this.#length + length > this.#bytes.length) this.#grow(length);
    if (length > SHORT) this.#bytes.set(bytes, this.#length);
    else for (let at = 0; at < length; at++) this.#bytes[this.#length + at] = bytes[at]!;
    this.#length += length;
  }

  /** Appends what another has from `start` to `end`. */
  appendFrom(other: ByteWriter, start: number, end: number): void {
    if (this.#length + end - start > this.#bytes.length) this.#grow(end - start);
    other.#bytes.copy(this.#bytes, this.#length, start, end);
    this.#length += end - start;
  }

  /** Written where it goes if its length takes one byte, as it mostly does, and moved if it does not. */
  #oneByteLength(text: string): void {
    if (this.#length + text.length * 3 + 2 > this.#bytes.length) this.#grow(text.length * 3 + 2);
    const start = this.#length;
    const length = this.#bytes.write(text, start + 1, 'utf8');
    if (length < ONE_BYTE) {
      this.#bytes[start] = length;
      this.#length = start + 1 + length;
      return;
    }
    this.#bytes.copyWithin(start + 2, start + 1, start + 1 + length);
    this.varint(length);
    this.#length += length;
  }

  /** A short text of ASCII; false for any other. */
  #short(text: string): boolean {
    const length = text.length;
    if (this.#length + length + 1 > this.#bytes.length) this.#grow(length + 1);
    const bytes = this.#bytes;
    const start = this.#length + 1;
    for (let at = 0; at < length; at++) {
      const code = text.charCodeAt(at);
      if (code > 0x7f) return false;
      bytes[start + at] = code;
    }
    bytes[start - 1] = length;
    this.#length = start + length;
    return true;
  }

  #grow(room: number): void {
    const larger = Buffer.allocUnsafeSlow(Math.max(this.#bytes.length * 2, this.#length + room));
    this.#bytes.copy(larger, 0, 0, this.#length);
    this.#bytes = larger;
  }
}

/** Reads what a ByteWriter wrote. Reading past the end throws a RangeError: the bytes are not what they should be. */
export class ByteReader {
  readonly #bytes: Buffer;
  #at = 0;

  constructor(bytes: Buffer) {
    this.#bytes = bytes;
  }

  get left(): number {
    return this.#bytes.length - this.#at;
  }

  varint(): number {
    let value = 0;
    let scale = 1;
    for (;;) {
      const byte = this.#bytes[this.#at++];
      if (byte === undefined || scale > 2 ** 49) throw new RangeError('a number runs past the end');
      value += (byte & 0x7f) * scale;
      if (byte < 0x80) return value;
      scale *= 128;
    }
  }

  text(): string {
    const length = this.varint();
    const start = this.#at;
    this.skip(length);
    return this.#bytes.toString('utf8', start, this.#at);
  }

  take(length: number): Buffer {
    this.skip(length);
    return this.#bytes.subarray(this.#at - length, this.#at);
  }

  skip(length: number): void {
    if (length > this.left) throw new RangeError(`${length} bytes asked of ${this.left}`);
    this.#at += length;
  }
}
