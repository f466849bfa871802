const BLOCK = 64;
const WORDS = 8;
const ROUNDS = 64;
/** What a last block cannot hold beside the message's end: a byte that ends it and its length. */
const ENDING = 9;

/**
 * HMAC-SHA-256 (RFC 2104, FIPS 180-4) of short texts. Written out here because it starts from the key's two states, which
 * the library cannot keep: two compressions a text, a quarter of what two digests of the library cost with their objects.
 */
export class KeyedHash {
  readonly #inner: Int32Array;
  readonly #outer: Int32Array;
  #message = Buffer.alloc(1024);

  constructor(key: string | Buffer) {
    const bytes = Buffer.from(key as string);
    const short = Buffer.alloc(BLOCK);
    if (bytes.length > BLOCK) writeWords(sha256(bytes), short);
    else bytes.copy(short);
    this.#inner = keyState(short, 0x36);
    this.#outer = keyState(short, 0x5c);
  }

  /** Eight words of 32 bits, the first the most significant. */
  words(text: string): Int32Array {
    // Three bytes are the most that one UTF-16 unit takes.
    const room = text.length * 3 + BLOCK + ENDING;
    if (room > this.#message.length) this.#message = Buffer.alloc(room);
    const state = digest(Int32Array.from(this.#inner), this.#message, writeText(this.#message, text), BLOCK);
    const outer = Int32Array.from(this.#outer);
    for (let word = 0; word < WORDS; word++) SCHEDULE[word] = state[word]!;
    SCHEDULE[WORDS] = 1 << 31;
    SCHEDULE.fill(0, WORDS + 1, 15);
    SCHEDULE[15] = (BLOCK + WORDS * 4) * 8;
    compress(outer);
    return outer;
  }

  hex(text: string): string {
    const bytes = Buffer.alloc(WORDS * 4);
    writeWords(this.words(text), bytes);
    return bytes.toString('hex');
  }
}

/** The message's bytes; short ones of ASCII faster than a call into the runtime. */
function writeText(message: Buffer, text: string): number {
  for (let at = 0; at < text.length; at++) {
    const code = text.charCodeAt(at);
    if (code > 0x7f) return message.write(text);
    message[at] = code;
  }
  return text.length;
}

function keyState(key: Buffer, pad: number): Int32Array {
  const state = Int32Array.from(START);
  readBlock(
    key.map((byte) => byte ^ pad),
    0,
  );
  compress(state);
  return state;
}

function sha256(bytes: Buffer): Int32Array {
  const message = Buffer.alloc(bytes.length + BLOCK + ENDING);
  bytes.copy(message);
  return digest(Int32Array.from(START), message, bytes.length, 0);
}

/** The state after a message of so many bytes, `before` having gone into it already. The message is padded in its place. */
function digest(state: Int32Array, message: Buffer, length: number, before: number): Int32Array {
  const end = Math.ceil((length + ENDING) / BLOCK) * BLOCK;
  message[length] = 0x80;
  message.fill(0, length + 1, end);
  for (let at = 0; at < end; at += BLOCK) {
    readBlock(message, at);
    if (at + BLOCK === end) SCHEDULE[15] = (before + length) * 8;
    compress(state);
  }
  return state;
}

function readBlock(bytes: Uint8Array, from: number): void {
  for (let word = 0; word < BLOCK / 4; word++) {
    const at = from + word * 4;
    SCHEDULE[word] = (bytes[at]! << 24) | (bytes[at + 1]! << 16) | (bytes[at + 2]! << 8) | bytes[at + 3]!;
  }
}

function writeWords(words: Int32Array, bytes: Buffer): void {
  for (const [index, word] of words.entries()) bytes.writeInt32BE(word, index * 4);
}

function firstPrimes(count: number): number[] {
  const primes: number[] = [];
  for (let number = 2; primes.length < count; number++)
    if (primes.every((prime) => number % prime !== 0)) primes.push(number);
  return primes;
}

/** The first 32 bits of a fraction. */
const fractionBits = (value: number): number => Math.floor((value % 1) * 2 ** 32) | 0;

const PRIMES = firstPrimes(ROUNDS);
const START = Int32Array.from(PRIMES.slice(0, WORDS), (prime) => fractionBits(Math.sqrt(prime)));
const CONSTANTS = Int32Array.from(PRIMES, (prime) => fractionBits(Math.cbrt(prime)));
/** Of the block at hand; its first sixteen words are the block. */
const SCHEDULE = new Int32Array(ROUNDS);

/** One block into the state (FIPS 180-4, 6.2.2); the rotations are written out, as a call for each would cost as much. */
function compress(state: Int32Array): void {
  const words = SCHEDULE;
  for (let t = 16; t < ROUNDS; t++) {
    const x = words[t - 15]!;
    const y = words[t - 2]!;
    const low = ((x >>> 7) | (x << 25)) ^ ((x >>> 18) | (x << 14)) ^ (x >>> 3);
    const high = ((y >>> 17) | (y << 15)) ^ ((y >>> 19) | (y << 13)) ^ (y >>> 10);
    words[t] = (words[t - 16]! + low + words[t - 7]! + high) | 0;
  }
  let a = state[0]!;
  let b = state[1]!;
  let c = state[2]!;
  let d = state[3]!;
  let e = state[4]!;
  let f = state[5]!;
  let g = state[6]!;
  let h = state[7]!;
  for (let t = 0; t < ROUNDS; t++) {
    const sumE = ((e >>> 6) | (e << 26)) ^ ((e >>> 11) | (e << 21)) ^ ((e >>> 25) | (e << 7));
    const first = (h + sumE + ((e & f) ^ (~e & g)) + CONSTANTS[t]! + words[t]!) | 0;
    const sumA = ((a >>> 2) | (a << 30)) ^ ((a >>> 13) | (a << 19)) ^ ((a >>> 22) | (a << 10));
    h = g;
    g = f;
    f = e;
    e = (d + first) | 0;
    const second = (sumA + ((a & b) ^ (a & c) ^ (b & c))) | 0;
    d = c;
    c = b;
    b = a;
    a = (first + second) | 0;
  }
  state[0] = (state[0]! + a) | 0;
  state[1] = (state[1]! + b) | 0;
  state[2] = (state[2]! + c) | 0;
  state[3] = (state[3]! + d) | 0;
  state[4] = (state[4]! + e) | 0;
  state[5] = (state[5]! + f) | 0;
  state[6] = (state[6]! + g) | 0;
  state[7] = (state[7]! + h) | 0;
}
