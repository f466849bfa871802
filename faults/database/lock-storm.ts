import { z } from 'zod';
import { zodSchema } from '../../harness/core/zod-schema.ts';
import type { Fault } from '../../harness/spi/fault.ts';
import { heldOn, onStore } from './on-store.ts';

const TABLES_MAX = 10;
const HEAL_WITHIN_MS = 10_000;

const params = z
  .strictObject({
    tables: z
      .array(z.string().min(1))
      .min(1)
      .max(TABLES_MAX)
      .optional()
      .describe('Names, with their schema where it is not public. Default: the busiest.'),
    busiest: z
      .number()
      .int()
      .min(1)
      .max(TABLES_MAX)
      .optional()
      .describe('How many of the tables that are written to most. Default: 1.'),
    rows: z
      .string()
      .min(1)
      .optional()
      .describe(
        'SQL condition: only rows that meet it are locked, for writers. Default: the whole table, for everybody.',
      ),
  })
  .refine(({ tables, busiest }) => tables === undefined || busiest === undefined, {
    path: ['busiest'],
    message: 'expected either tables or busiest',
  });
type LockParams = z.output<typeof params>;

/**
 * Sessions that hold locks and do not let go, as a migration does that runs in the middle of the day: an exclusive lock
 * on whole tables, on which every statement waits, or on the rows that meet a condition, on which their writers wait.
 */
export const databaseLockStorm: Fault<LockParams> = {
  kind: 'database.lock-storm',
  summary: 'Holds exclusive locks on tables of the primary, or on some of their rows, so that statements wait on them.',
  params: zodSchema<LockParams>(params),
  targets: ['store'],
  effects: ({ tables = [], busiest = 1, rows = null }, target, topology) => [
    heldOn(
      onStore('database.lock-storm', target, topology, ['primary']),
      'store.locked',
      { tables, busiest, rows },
      'acting',
      {
        bite: { kind: 'store.lock-wait', args: { waits: true, tables, busiest, rows } },
        heal: { kind: 'store.lock-wait', args: { waits: false, tables, busiest, rows, withinMs: HEAL_WITHIN_MS } },
      },
    ),
  ],
};
