import { HarnessError } from '../core/errors.ts';
import { findNode, NODE_FLAG } from '../core/local-process.ts';
import type { ProcessRow } from '../core/process-identity.ts';
import type { Undo } from '../spi/fault.ts';
import type { Json } from '../spi/json.ts';

/** A helper of a fault, by the marks that every process of a run carries. */
export interface Helper {
  runId: string;
  nodeId: string;
}

/** The helper that keeps an effect up, as its undo names it. Throws PROBE_FAILED. */
export function helperOf(kind: string, undo: Undo | undefined): Helper & { [key: string]: Json } {
  const { runId, nodeId } = undo?.state ?? {};
  if (typeof runId === 'string' && typeof nodeId === 'string') return { runId, nodeId };
  const hint = 'Only effects that a helper keeps up are measured so.';
  throw new HarnessError('PROBE_FAILED', `${kind}: the effect’s undo names no helper`, hint);
}

/** Its living processes. */
export function processesOfHelper({ runId, nodeId }: Helper): ProcessRow[] {
  const flag = `${NODE_FLAG}=${nodeId}`;
  return findNode(runId, nodeId).filter(({ command }) => command.split(' ').includes(flag));
}
