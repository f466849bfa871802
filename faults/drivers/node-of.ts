import { HarnessError } from '../../harness/core/errors.ts';
import type { Effect } from '../../harness/spi/fault.ts';
import type { Environment, Node } from '../../harness/spi/runtime.ts';

/** The node that an effect means: by its id, or whoever has the role now. Throws FAULT_TARGET_EMPTY. */
export async function nodeOf(effect: Effect, env: Environment, signal: AbortSignal): Promise<Node> {
  const { on } = effect;
  if ('node' in on) {
    const node = env.nodes.get(on.node);
    if (node !== undefined) return node;
    throw none(`there is no node ${on.node}`, '`seawall explain` lists the nodes.');
  }
  if ('link' in on) throw none(`${on.link} is a link, not a node`, 'Name a node, a service or a store.');
  const members = [...env.nodes.values()].filter((node) => node.spec.of === on.store && node.store !== undefined);
  const roles = await Promise.all(members.map((node) => node.store!.role(signal)));
  const holders = members.filter((_node, index) => roles[index] === on.role);
  if (holders.length === 1) return holders[0]!;
  const seen = members.map((node, index) => `${node.spec.id} is ${roles[index]}`).join(', ');
  throw none(
    `${on.store} has ${holders.length === 0 ? 'no' : 'more than one'} ${on.role} now: ${seen === '' ? 'no member' : seen}`,
    'The store must be whole before a fault: leave it time to recover from the one before.',
  );
}

function none(message: string, hint: string): HarnessError {
  return new HarnessError('FAULT_TARGET_EMPTY', message, hint);
}
