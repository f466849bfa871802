import { z } from 'zod';
import { zodSchema } from '../../harness/core/zod-schema.ts';
import type { Fault } from '../../harness/spi/fault.ts';
import { onStore, whole } from './on-store.ts';

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
    const store = onStore('database.primary-kill', target, topology, ['primary']);
    const { on, members } = store;
    return [
      {
        kind: 'node.killed',
        on,
        args: {},
        mode: 'once',
        undo: 'restart',
        touches: { nodes: members.map((node) => node.id) },
        bite: { kind: 'node.down', on, args: {} },
        heal: whole(store),
      },
    ];
  },
};
