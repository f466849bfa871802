import { createInterface } from 'node:readline';
import type { Readable } from 'node:stream';
import type Docker from 'dockerode';
import { NODE_LABEL, RUN_LABEL } from './container-engine.ts';

interface DieEvent {
  Actor?: { Attributes?: Record<string, string> };
}

/** Calls back when a container of the run ends. Returns what stops the listening. */
export async function watchEnds(
  docker: Docker,
  runId: string,
  ended: (nodeId: string, why: string) => void,
): Promise<() => void> {
  const filters = JSON.stringify({ type: ['container'], event: ['die'], label: [`${RUN_LABEL}=${runId}`] });
  const stream = (await docker.getEvents({ filters })) as Readable;
  const lines = createInterface({ input: stream });
  lines.on('line', (line) => {
    const attributes = (JSON.parse(line) as DieEvent).Actor?.Attributes ?? {};
    const nodeId = attributes[NODE_LABEL];
    if (nodeId !== undefined) ended(nodeId, `exit code ${attributes.exitCode ?? 'unknown'}`);
  });
  // An engine that is gone takes every container's answers with it: the load shows that, and the sweep says so.
  stream.on('error', () => lines.close());
  return () => {
    lines.close();
    stream.destroy();
  };
}
