import { z } from 'zod';
import { zodSchema } from '../../harness/core/zod-schema.ts';
import type { Fault } from '../../harness/spi/fault.ts';
import { heldOn, onStore } from './on-store.ts';

const HEAL_WITHIN_MS = 10_000;

const params = z.strictObject({});

/**
 * Every connection that the store's own user can have is taken, and so is each that is let go: pools keep what they
 * have, and whoever needs a fresh one is refused (53300). Where that user is no superuser, the server's reserved ones
 * stay free; where it is one, they are taken too, and it is the end of the helper that gives them back.
 */
export const databaseConnectionExhaustion: Fault<z.output<typeof params>> = {
  kind: 'database.connection-exhaustion',
  summary: 'Takes every connection that the store’s own user can have: who needs a fresh one is refused.',
  params: zodSchema<z.output<typeof params>>(params),
  targets: ['store'],
  effects: (_params, target, topology) => [
    heldOn(
      onStore('database.connection-exhaustion', target, topology, ['primary', 'standby']),
      'store.connections-held',
      {},
      'acting',
      {
        bite: { kind: 'store.connects', args: { accepted: false } },
        heal: { kind: 'store.connects', args: { accepted: true, withinMs: HEAL_WITHIN_MS } },
      },
    ),
  ],
};
