import { setFlagsFromString } from 'node:v8';

const REPEAT_MAX = 16;
/** Global, and V8's own `l`: linear, or not at all. */
const LINEAR = 'gl';

let enabled = false;

/**
 * A user's regular expression on V8's engine without backtracking, which no text can make slow; or why it cannot run
 * there. Alternation, classes, groups and repetition are fine; look-around and back references are not regular.
 */
export function linearPattern(text: string): RegExp | { problem: string; expected: string } {
  const expected = `one without look-around, back references and counts above ${REPEAT_MAX} (x{20} is x{16}x{4})`;
  try {
    new RegExp(text, 'g');
  } catch (thrown) {
    return { problem: `this is no regular expression: ${(thrown as Error).message}`, expected };
  }
  try {
    if (!enabled) setFlagsFromString('--enable-experimental-regexp-engine');
    enabled = true;
    return new RegExp(text, LINEAR);
  } catch {
    // The engine's own words only repeat the pattern.
    return { problem: 'this regular expression cannot be matched in linear time', expected };
  }
}
