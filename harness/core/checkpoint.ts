import { writeSync } from 'node:fs';

/** Set by the safety tests: the tool stops for ever at the checkpoint of this name, so that it can be killed there. */
const HALT_AT = 'SEAWALL_HALT_AT';

/**
 * Marks a moment at which a sudden death must be survivable. Costs one comparison. When the environment asks for it,
 * the whole process halts here, having said so on stderr; it never goes on.
 */
export function checkpoint(name: string): void {
  if (process.env[HALT_AT] !== name) return;
  writeSync(2, `seawall halted at ${name}\n`);
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0);
}
