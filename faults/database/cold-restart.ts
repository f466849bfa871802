import { z } from 'zod';
import { zodSchema } from '../../harness/core/zod-schema.ts';
import type { Fault } from '../../harness/spi/fault.ts';
import { killed } from '../effects.ts';
import { onStore, whole } from './on-store.ts';

const HEAL_WITHIN_MS = 40_000;

const params = z.strictObject({});

/**
 * All members of a store die at once and start again at the end, with nothing in their buffers: the first minutes after
 * a power cut. Of the target's role it does not depend. What the machine itself has in memory of their files stays.
 */
export const databaseColdRestart: Fault<z.output<typeof params>> = {
  kind: 'database.cold-restart',
  summary: 'Kills all members of a store and starts them again at the end, with cold buffers.',
  params: zodSchema<z.output<typeof params>>(params),
  targets: ['store'],
  effects: (_params, target, topology) => {
    const store = onStore('database.cold-restart', target, topology, ['primary', 'standby']);
    const restarts = store.members.map((node) => killed(node, topology));
    if (store.members.length > 1) return restarts.map((effect) => ({ ...effect, heal: whole(store) }));
    const cold = { kind: 'store.cold', args: { withinMs: HEAL_WITHIN_MS, upAtMostMs: HEAL_WITHIN_MS } };
    return restarts.map((effect) => ({ ...effect, heal: { ...cold, on: effect.on } }));
  },
};
