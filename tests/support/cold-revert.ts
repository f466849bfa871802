import { processDriver } from '../../faults/drivers/process.ts';
import { proxyDriver } from '../../faults/drivers/proxy.ts';
import type { Undo } from '../../harness/spi/fault.ts';

/** A process that knows nothing but the undos given as JSON in its last argument: reverts them, the last one first. */
const undos = JSON.parse(process.argv.at(-1)!) as Undo[];
for (const undo of undos.toReversed()) {
  const driver = [proxyDriver, processDriver].find(({ name }) => name === undo.driver)!;
  await driver.revert(undo, { runId: 'cold', signal: AbortSignal.timeout(10_000), record: async () => undefined });
}
