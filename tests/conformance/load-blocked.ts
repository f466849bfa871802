import { watchParent } from '../../harness/load/parent-watch.ts';

/** Longer than the test waits, and bounded. */
const BLOCKED_MS = 10_000;

watchParent((thrown) => {
  throw thrown;
});
setTimeout(() => {
  process.send?.('blocked', () => {
    // From here on nothing in this thread runs, not even the closing of its channel.
    Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, BLOCKED_MS);
    process.exit(1);
  });
}, 100);
