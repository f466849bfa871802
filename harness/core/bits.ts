/**
 * Whole numbers as exponential Golomb codes of a given order: small ones take few bits (0 takes `order + 1`), and any
 * one up to 2^53 has a code.
 */
export class BitWriter {
  readonly #bytes: number[] = [];
  #free = 0;

  write(value: number, order: number): void {
    const shifted = value + 2 ** order;
    const bits = Math.floor(Math.log2(shifted)) + 1;
    // Rounding of the logarithm near a power of two.
    const width = shifted >= 2 ** bits ? bits + 1 : shifted < 2 ** (bits - 1) ? bits - 1 : bits;
    for (let zero = width - order - 1; zero > 0; zero--) this.#bit(0);
    for (let scale = 2 ** (width - 1); scale >= 1; scale /= 2) this.#bit(Math.floor(shifted / scale) % 2);
  }

  bytes(): Buffer {
    return Buffer.from(this.#bytes);
  }

  #bit(bit: number): void {
    if (this.#free === 0) {
      this.#bytes.push(0);
      this.#free = 8;
    }
    this.#free--;
    this.#bytes[this.#bytes.length - 1]! |= bit << this.#free;
  }
}

/** Reads what `BitWriter` wrote; throws RangeError where there is no more or it is no code. */
export class BitReader {
  readonly #bytes: Buffer;
  #at = 0;

  constructor(bytes: Buffer) {
    this.#bytes = bytes;
  }

  read(order: number): number {
    let width = order + 1;
    while (this.#bit() === 0) if (++width > 54) throw new RangeError('no such code');
    let value = 1;
    for (let bit = 1; bit < width; bit++) value = value * 2 + this.#bit();
    return value - 2 ** order;
  }

  #bit(): number {
    const byte = this.#bytes[this.#at >> 3];
    if (byte === undefined) throw new RangeError('cut short');
    return (byte >> (7 - (this.#at++ & 7))) & 1;
  }
}
