import { z } from 'zod';
import { zodSchema } from '../../harness/core/zod-schema.ts';
import type { Fault } from '../../harness/spi/fault.ts';
import { onStore, whole } from './on-store.ts';

const params = z.strictObject({});

/** Whoever is standby when the fault fires dies, and runs again at the end; healed is when it streams again. */
export const databaseStandbyLoss: Fault<z.output<typeof params>> = {
  kind: 'database.standby-loss',
  summary:
    'Kills the database node that is standby at that moment; healed is when a synchronous standby streams again.',
  params: zodSchema<z.output<typeof params>>(params),
  targets: ['store'],
  effects: (_params, target, topology) => {
    const store = onStore('database.standby-loss', target, topology, ['standby']);
    return [
      {
        kind: 'node.killed',
        on: store.on,
        args: {},
        mode: 'once',
        undo: 'restart',
        touches: { nodes: store.members.map(({ id }) => id) },
        bite: { kind: 'node.down', on: store.on, args: {} },
        heal: whole(store),
      },
    ];
  },
};
