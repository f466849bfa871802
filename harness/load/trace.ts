import type { Chance } from '../core/random.ts';

/** Words of a trace id (16 bytes) and of a span id (8), one behind the other. */
export const TRACE_WORDS = 4;
export const SPAN_WORDS = 2;

const DIGITS = Buffer.from('0123456789abcdef');
const scratch = new Uint32Array(TRACE_WORDS + SPAN_WORDS);

/** Draws a trace and a span id. The words are good until the next call. */
export function drawTrace(chance: Chance): Uint32Array {
  for (let word = 0; word < scratch.length; word++) scratch[word] = chance.word();
  return scratch;
}

export const traceText = (words: Uint32Array): string => hex(words.subarray(0, TRACE_WORDS));
export const spanText = (words: Uint32Array): string => hex(words.subarray(TRACE_WORDS));

/** Writes eight hex digits for each of `words[from, to)` into `bytes` from `at` on. */
export function writeHex(bytes: Uint8Array, at: number, words: Uint32Array, from: number, to: number): void {
  for (let word = from; word < to; word++) {
    const value = words[word]!;
    for (let shift = 28; shift >= 0; shift -= 4) bytes[at++] = DIGITS[(value >>> shift) & 15]!;
  }
}

function hex(words: Uint32Array): string {
  return Array.from(words, (word) => word.toString(16).padStart(8, '0')).join('');
}
