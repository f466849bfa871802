import { HarnessError } from '../core/errors.ts';
import type { Expectation, Undo } from '../spi/fault.ts';
import type { Environment, Link, Node } from '../spi/runtime.ts';

/** The link an expectation is about. */
export function linkOf({ kind, on }: Expectation, env: Environment): Link {
  const link = 'link' in on ? env.links.get(on.link) : undefined;
  if (link !== undefined) return link;
  throw missing(`${kind}: ${JSON.stringify(on)} is no link of this environment`);
}

/** The node an expectation is about; a role is whoever had it when the fault was prepared. */
export function nodeOf({ kind, on }: Expectation, env: Environment, undo: Undo | undefined): Node {
  const id = 'node' in on ? on.node : undo !== undefined && 'node' in undo.on ? undo.on.node : undefined;
  const node = id === undefined ? undefined : env.nodes.get(id);
  if (node !== undefined) return node;
  throw missing(`${kind}: ${JSON.stringify(on)} is no node of this environment`);
}

function missing(message: string): HarnessError {
  return new HarnessError('PROBE_FAILED', message, '`seawall explain` lists nodes and links.');
}
