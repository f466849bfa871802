import { HarnessError } from '../../harness/core/errors.ts';
import { findNode, killNode, type ProcessSpec, startProcess } from '../../harness/core/local-process.ts';
import type { Json, JsonObject } from '../../harness/spi/json.ts';
import { killContainer, startContainer } from './container.ts';

/** How a runtime's nodes end and start, from nothing but `node.restartSpec()`. */
interface NodeMeans {
  kill(spec: JsonObject, signal: AbortSignal): Promise<void>;
  /** No-op when it runs. `record` is awaited before anything is started. */
  start(spec: JsonObject, ctx: { signal: AbortSignal; record(resource: JsonObject): Promise<void> }): Promise<void>;
}

const MEANS: Readonly<Record<string, NodeMeans>> = {
  local: {
    kill: (spec, signal) => {
      const { runId, nodeId } = processOf(spec);
      return killNode(runId, nodeId, signal);
    },
    start: async (spec, ctx) => {
      const process = processOf(spec);
      if (findNode(process.runId, process.nodeId).length > 0) return;
      await ctx.record({ runId: process.runId, nodeId: process.nodeId });
      await startProcess(process);
    },
  },
  containers: {
    kill: (spec, signal) => killContainer(containerOf(spec), signal),
    start: (spec, ctx) => startContainer(containerOf(spec), ctx.signal),
  },
};

/** Throws FAULT_UNSUPPORTED for a runtime whose nodes are not ours to end. */
export function meansFor(spec: JsonObject): NodeMeans {
  const runtime = textOf(spec.runtime);
  const means = MEANS[runtime];
  if (means !== undefined) return means;
  throw new HarnessError(
    'FAULT_UNSUPPORTED',
    `nodes of the ${runtime} runtime can be neither ended nor started`,
    'Use the local or the containers runtime.',
  );
}

/** What a `restartSpec()` of the local runtime holds. */
export function processOf(spec: JsonObject): ProcessSpec {
  return spec.process as unknown as ProcessSpec;
}

/** What a `restartSpec()` of the containers runtime holds. */
export function containerOf(spec: JsonObject): string {
  return textOf(spec.container);
}

function textOf(value: Json | undefined): string {
  return typeof value === 'string' ? value : JSON.stringify(value ?? null);
}
