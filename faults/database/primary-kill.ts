import { z } from 'zod';
import { zodSchema } from '../../harness/core/zod-schema.ts';
import type { Fault } from '../../harness/spi/fault.ts';
import { redundant, up } from '../effects.ts';
import { nodesOf, notTaken } from '../targets.ts';

const params = z.strictObject({});

/**
 * Whoever is primary when the fault fires dies. The node runs again at the end, in whatever role the stack's own
 * failover gives it; healed is when the store has a primary and a synchronous standby again.
 */
export const databasePrimaryKill: Fault<z.output<typeof params>> = {
  kind: 'database.primary-kill',
  summary: 'Kills the database node that is primary at that moment; it comes back as the stack’s own failover decides.',
  params: zodSchema<z.output<typeof params>>(params),
  targets: ['store'],
  effects: (_params, target, topology) => {
    if (!('store' in target) || target.role !== 'primary') throw notTaken('database.primary-kill', target);
    const members = nodesOf(target, topology);
    const on = { store: target.store, role: target.role };
    return [
      {
        kind: 'node.killed',
        on,
        args: {},
        mode: 'once',
        undo: 'restart',
        touches: { nodes: members.map((node) => node.id) },
        bite: { kind: 'node.down', on, args: {} },
        heal: members.length > 1 ? redundant(target.store) : up(on),
      },
    ];
  },
};
