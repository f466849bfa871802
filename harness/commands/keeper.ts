import { dirname } from 'node:path';
import { compileCache } from '../core/binaries.ts';
import { startProcess } from '../core/local-process.ts';
import { ownProgram } from '../core/own-program.ts';
import { signalExactly } from '../core/process-identity.ts';
import { keeperLog } from '../run/keeper.ts';

/** Name under which `heal` finds it, since it carries the run's flag like all that a run starts. */
const KEEPER = 'keeper';

/** Starts the process that undoes effects at the end of their leases. Disposing ends it. */
export async function startKeeper(runId: string, ledgerPath: string): Promise<AsyncDisposable> {
  const identity = await startProcess({
    argv: [process.execPath, ownProgram('./keeper-main', import.meta.url), ledgerPath, runId],
    cwd: dirname(ledgerPath),
    env: { ...process.env, ...compileCache() } as Record<string, string>,
    logFile: keeperLog(ledgerPath),
    runId,
    nodeId: KEEPER,
  });
  return {
    [Symbol.asyncDispose]: async () => {
      signalExactly(identity, 'SIGTERM');
    },
  };
}
