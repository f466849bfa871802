import { HarnessError } from '../harness/core/errors.ts';
import type { Target } from '../harness/spi/plan.ts';
import type { LinkSpec, NodeSpec, Topology } from '../harness/spi/topology.ts';

/** Nodes that a name means: a node, every node of a service or store, or every node of an IDC. */
export function nodesNamed(name: string, topology: Topology): NodeSpec[] {
  return topology.nodes.filter((node) => node.id === name || node.of === name || node.idc === name);
}

/** Links from any node that `from` means to any that `to` means; may be none. */
export function findLinks(from: string[], to: string[], topology: Topology): LinkSpec[] {
  const ids = (names: string[]) => new Set(names.flatMap((name) => nodesNamed(name, topology)).map((node) => node.id));
  const [callers, called] = [ids(from), ids(to)];
  return topology.links.filter((link) => callers.has(link.from) && called.has(link.to));
}

/** As `findLinks`; throws when there is none. */
export function linksBetween(from: string[], to: string[], topology: Topology): LinkSpec[] {
  const links = findLinks(from, to, topology);
  if (links.length > 0) return links;
  throw empty(
    `no link leads from ${from.join(', ')} to ${to.join(', ')}`,
    'A link is there where `calls` names the peer, from the caller to the called.',
  );
}

/** Nodes of a target that is not a link. Throws when it matches nothing. */
export function nodesOf(target: Exclude<Target, { link: unknown }>, topology: Topology): NodeSpec[] {
  const nodes = topology.nodes.filter((node) => {
    if ('node' in target) return node.id === target.node;
    if ('store' in target) return node.kind === 'store' && node.of === target.store;
    if ('service' in target) {
      return node.kind === 'service' && node.of === target.service && (target.idc ?? node.idc) === node.idc;
    }
    return node.idc === target.idc;
  });
  if (nodes.length > 0) return nodes;
  throw empty(`${JSON.stringify(target)} matches no node of the stack`, '`seawall explain` lists the nodes.');
}

/** For targets that a fault does not take; validation has said so before. */
export function notTaken(kind: string, target: Target): HarnessError {
  return empty(`${kind} does not take ${JSON.stringify(target)}`, 'The fault catalogue tells which targets it takes.');
}

function empty(message: string, hint: string): HarnessError {
  return new HarnessError('FAULT_TARGET_EMPTY', message, hint);
}
