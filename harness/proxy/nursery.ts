/** Passed bytes between two collections of the youngest garbage. */
const COLLECT_EVERY_BYTES = 4 * 1024 * 1024;

let passed = 0;

/**
 * Told of every piece that passes. A piece is 64 KB outside the JavaScript heap and a few bytes inside, by which V8
 * decides when to collect: a database copied through the proxy would leave 60 MB of garbage standing. Without
 * `--expose-gc` it does nothing.
 */
export function countPassed(bytes: number): void {
  passed += bytes;
  if (passed < COLLECT_EVERY_BYTES) return;
  passed = 0;
  globalThis.gc?.({ type: 'minor' });
}
