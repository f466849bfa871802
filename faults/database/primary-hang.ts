import { z } from 'zod';
import { zodSchema } from '../../harness/core/zod-schema.ts';
import type { Fault } from '../../harness/spi/fault.ts';
import { onStore, whole } from './on-store.ts';

const params = z.strictObject({});

/**
 * Whoever is primary when the fault fires stands still with all its processes: connections are accepted by the system
 * and never answered. At the end it goes on where it was; where the stack has promoted another one meanwhile, healed is
 * when it has become that one's standby.
 */
export const databasePrimaryHang: Fault<z.output<typeof params>> = {
  kind: 'database.primary-hang',
  summary: 'Freezes the database node that is primary at that moment: it takes connections and answers nothing.',
  params: zodSchema<z.output<typeof params>>(params),
  targets: ['store'],
  effects: (_params, target, topology) => {
    const store = onStore('database.primary-hang', target, topology, ['primary']);
    return [
      {
        kind: 'node.paused',
        on: store.on,
        args: {},
        mode: 'held',
        undo: 'revert',
        touches: { nodes: store.members.map(({ id }) => id) },
        bite: { kind: 'node.frozen', on: store.on, args: {} },
        heal: whole(store),
      },
    ];
  },
};
