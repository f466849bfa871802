import { FAULT_DRIVERS } from '../../harness/registry.ts';
import type { Undo } from '../../harness/spi/fault.ts';

/** A process that knows nothing but the undos given as JSON in its last argument: reverts them, the last one first. */
const undos = JSON.parse(process.argv.at(-1)!) as Undo[];
for (const undo of undos.toReversed()) {
  const driver = FAULT_DRIVERS.find(({ name }) => name === undo.driver)!;
  await driver.revert(undo, { runId: 'cold', signal: AbortSignal.timeout(10_000), record: async () => undefined });
}
