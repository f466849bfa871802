import { z } from 'zod';
import { ratePerSecond, zodSchema } from '../../harness/core/zod-schema.ts';
import type { Fault } from '../../harness/spi/fault.ts';
import { heldOn, onStore } from './on-store.ts';

const RATE_MIN = 1;
const RATE_MAX = 20;
const HEAL_WITHIN_MS = 10_000;

const params = z.strictObject({
  rate: ratePerSecond().refine((rate) => rate >= RATE_MIN && rate <= RATE_MAX, 'expected 1/s to 20/s'),
  table: z
    .string()
    .min(1)
    .optional()
    .describe('Two rows of it are locked crosswise. Default: two advisory locks, which stand in nobody’s way.'),
});
type DeadlockParams = z.output<typeof params>;

/**
 * So many deadlocks a second. Both sides are sessions of ours, so that the server always finds its victim among them;
 * with a table, its users wait for the moment that each one lasts (about 20 ms).
 */
export const databaseDeadlocks: Fault<DeadlockParams> = {
  kind: 'database.deadlocks',
  summary: 'Makes so many deadlocks a second between sessions of its own, on rows of a table where one is named.',
  params: zodSchema<DeadlockParams>(params),
  targets: ['store'],
  effects: ({ rate, table = null }, target, topology) => [
    heldOn(
      onStore('database.deadlocks', target, topology, ['primary']),
      'store.deadlocks',
      { perSecond: rate, table },
      'acting',
      {
        bite: { kind: 'store.deadlock-rate', args: { perSecond: rate } },
        heal: { kind: 'store.deadlock-rate', args: { perSecond: 0, withinMs: HEAL_WITHIN_MS } },
      },
    ),
  ],
};
