import { z } from 'zod';
import { zodSchema } from '../../harness/core/zod-schema.ts';
import type { Fault } from '../../harness/spi/fault.ts';
import { heldOn, onStore } from './on-store.ts';

const FACTOR_MIN = 1.5;
const FACTOR_MAX = 20;
const SESSIONS_MAX = 64;
const SESSIONS_DEFAULT = 16;
const HEAL_WITHIN_MS = 15_000;
/** Some milliseconds of processor time: a statement that takes none is not slowed by others that take it all. */
const JUDGED = 'select count(*) from (select generate_series(1, 60000)) as n';

const params = z.strictObject({
  factor: z
    .number()
    .min(FACTOR_MIN)
    .max(FACTOR_MAX)
    .describe('So many times its usual time the judged statement takes, at least.'),
  sessions: z
    .number()
    .int()
    .min(1)
    .max(SESSIONS_MAX)
    .prefault(SESSIONS_DEFAULT)
    .describe('At most so many heavy statements run beside each other.'),
  query: z
    .string()
    .min(1)
    .prefault(JUDGED)
    .describe('The judged statement: one that only reads, of some milliseconds.'),
});
type SlowParams = z.output<typeof params>;

/**
 * Heavy statements take the processors of the machine that the database runs on, as a report does that nobody should
 * have started: as many as it needs until the judged one takes `factor` times as long. Whatever else runs on that
 * machine is slowed too; on the local runtime that is everything.
 */
export const databaseSlowQueries: Fault<SlowParams> = {
  kind: 'database.slow-queries',
  summary: 'Runs heavy statements beside the application’s until a judged one takes so many times as long.',
  params: zodSchema<SlowParams>(params),
  targets: ['store'],
  effects: ({ factor, sessions, query }, target, topology) => [
    heldOn(
      onStore('database.slow-queries', target, topology, ['primary', 'standby']),
      'store.burdened',
      { factor, sessions, query },
      'acting',
      {
        bite: { kind: 'store.query-time', args: { query, factor } },
        heal: { kind: 'store.query-time', args: { query, below: (1 + factor) / 2, withinMs: HEAL_WITHIN_MS } },
      },
    ),
  ],
};
