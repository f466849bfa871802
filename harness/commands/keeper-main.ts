import { systemClock } from '../core/clock.ts';
import { keepLeases } from '../run/keeper.ts';

/**
 * The keeper of a run's leases: a process of its own that outlives the tool. `keeper-main LEDGER RUN`. The drivers are
 * loaded when there is something to undo, which is hardly ever.
 */
const [ledgerPath, runId] = process.argv.slice(2);
if (ledgerPath === undefined || runId === undefined) throw new TypeError('usage: keeper-main LEDGER RUN');
for (const signal of ['SIGINT', 'SIGHUP'] as const) process.on(signal, () => undefined);
await keepLeases({
  runId,
  ledgerPath,
  clock: systemClock,
  faultDriver: async (name) => (await import('../registry.ts')).FAULT_DRIVERS.find((driver) => driver.name === name),
  say: (line) => process.stdout.write(`${line}\n`),
});
