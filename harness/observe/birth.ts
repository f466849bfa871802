import { HarnessError } from '../core/errors.ts';
import { findNode } from '../core/local-process.ts';
import type { JsonObject } from '../spi/json.ts';

/**
 * Which life of a node this is: another text after each start, undefined while it does not run. `restart` is the node's
 * `restartSpec()`; the process table or the container engine is asked, not whoever started it.
 */
export async function birthOf(restart: JsonObject): Promise<string | undefined> {
  if (typeof restart.container === 'string') return containerBirth(restart.container);
  const { runId, nodeId } = (restart.process ?? {}) as { runId?: string; nodeId?: string };
  if (runId === undefined || nodeId === undefined) {
    const hint = 'Use the local or the containers runtime.';
    throw new HarnessError('PROBE_FAILED', 'when a node of this runtime was started cannot be told', hint);
  }
  const rows = findNode(runId, nodeId);
  const main = rows.find((row) => !rows.some((other) => other.pid === row.parent));
  return main === undefined ? undefined : `pid ${main.pid} of ${main.started}`;
}

async function containerBirth(id: string): Promise<string | undefined> {
  // Loaded here only: it is large, and most probes do without.
  const { getContainerRuntimeClient } = await import('testcontainers');
  const client = await getContainerRuntimeClient();
  const { State } = await client.container.dockerode.getContainer(id).inspect();
  return State.Running ? `a start at ${State.StartedAt}` : undefined;
}
