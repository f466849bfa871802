import { once } from 'node:events';
import { setImmediate as turn } from 'node:timers/promises';
import { act } from './actor.ts';
import { joinContainer } from './container-group.ts';

/** Touched between two looks at whether it is over. */
const STEP_BYTES = 8_000_000;

/** Holds `bytes` of memory, every page touched; charged to a container's control group where `container` names one. */
await act(async (args, signal) => {
  // Memory is charged to whoever touches it first, so this comes before.
  const over = typeof args.container === 'string' ? joinContainer(args.container, 'memory', signal) : signal;
  const held = new Uint8Array(Number(args.bytes));
  for (let at = 0; at < held.length && !over.aborted; at += STEP_BYTES) {
    held.fill(1, at, at + STEP_BYTES);
    await turn();
  }
  if (!over.aborted) await once(over, 'abort');
  // Read once more at the end, so that nobody thinks it is not needed meanwhile.
  if (held.length > 0 && held[0] !== 1) throw new Error('the memory was never touched');
});
