import { join } from 'node:path';
import type { Clock } from '../core/clock.ts';
import { HarnessError } from '../core/errors.ts';
import { identify } from '../core/process-identity.ts';
import type { JournalBody } from '../spi/journal.ts';
import type { RuntimeDriver } from '../spi/runtime.ts';
import type { Timeline } from '../spi/timeline.ts';
import type { OpenAppend } from './append-file.ts';
import { makeFolder } from './folder.ts';
import { type KeptStack, readKept } from './kept-stack.ts';
import { Ledger } from './ledger.ts';
import type { RunIndex } from './run-index.ts';
import { Scope } from './scope.ts';
import { StackControl } from './stack-control.ts';

export interface StandUpOptions {
  stackId: string;
  runDir: string;
  planFile: string;
  planText: string;
  overrides: Record<string, string>;
  proxy: 'seawall' | 'toxiproxy';
  runtime: RuntimeDriver;
  index: RunIndex;
  clock: Clock;
  openAppend: OpenAppend;
  /** Aborted: nothing is left of it. */
  stop: AbortSignal;
  tell(body: JournalBody): void;
}

/**
 * Stands a stack up and lets go of it, under the same ledger and index as a run: whoever kills this half-way leaves a
 * dead run that `heal` removes. Undefined when it was stopped. Throws what the runtime throws, with nothing left behind.
 */
export async function standUp(timeline: Timeline, options: StandUpOptions): Promise<KeptStack | undefined> {
  const { stackId, runDir, planFile, planText, overrides, index, clock, stop } = options;
  makeFolder(runDir, planText);
  const startedAt = new Date(clock.now()).toISOString();
  index.add({ runId: stackId, runDir, runtime: timeline.runtime, startedAt });
  const ledger = new Ledger(options.openAppend(join(runDir, 'ledger.ndjson')));
  const owner = identify(process.pid)!;
  ledger.write({ type: 'opened', runId: stackId, runtime: timeline.runtime, owner, atMs: clock.now() });
  const scope = new Scope();
  let failure: unknown;
  const stack = new StackControl({
    ...{ runId: stackId, runDir, planText, timeline, runtime: options.runtime, proxy: options.proxy },
    ...{ clock, ledger, scope, stop, keep: { planFile, overrides }, emit: options.tell },
    failed: () => failure !== undefined || stop.aborted,
    onNodeExit: () => undefined,
  });
  try {
    await stack.up();
  } catch (thrown) {
    failure = thrown;
  }
  const leftovers = await scope.unwind();
  if (leftovers.length === 0) ledger.write({ type: 'closed' });
  ledger.close();
  if (leftovers.length > 0) {
    throw new HarnessError('HEAL_INCOMPLETE', leftovers.join('; '), `seawall heal ${stackId}`, failure);
  }
  if (stack.kept) {
    index.keep(stackId);
    return readKept(runDir);
  }
  index.remove(stackId);
  if (stop.aborted) return undefined;
  throw failure;
}
