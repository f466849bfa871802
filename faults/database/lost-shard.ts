import { z } from 'zod';
import { zodSchema } from '../../harness/core/zod-schema.ts';
import type { Fault } from '../../harness/spi/fault.ts';
import { blackHole, killed } from '../effects.ts';
import { onStore, whole } from './on-store.ts';

const params = z.strictObject({
  by: z
    .enum(['cut', 'kill'])
    .prefault('cut')
    .describe('cut: nobody outside reaches it, silently. kill: all its nodes die; their data stays.'),
});
type ShardParams = z.output<typeof params>;

/**
 * One store of several is gone as a whole, standby and all, whichever role the target names: no failover of its own can
 * help, and the question is what the rest of the system still does. Its data is there again at the end.
 */
export const databaseLostShard: Fault<ShardParams> = {
  kind: 'database.lost-shard',
  summary:
    'Takes a whole store away, all members at once, by cutting its links or by killing its nodes; its data stays.',
  params: zodSchema<ShardParams>(params),
  targets: ['store'],
  effects: ({ by }, target, topology) => {
    const store = onStore('database.lost-shard', target, topology, ['primary', 'standby']);
    const { members } = store;
    if (by === 'kill') {
      return members.map((node) => {
        const effect = killed(node, topology);
        return { ...effect, heal: whole(store, effect.on) };
      });
    }
    const ids = members.map(({ id }) => id);
    const links = topology.links.filter(({ from, to }) => ids.includes(to) && !ids.includes(from));
    return links.map((link) => blackHole(link, 'both', ids));
  },
};
