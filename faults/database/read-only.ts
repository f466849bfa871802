import { z } from 'zod';
import { zodSchema } from '../../harness/core/zod-schema.ts';
import type { Fault } from '../../harness/spi/fault.ts';
import { heldOn, onStore } from './on-store.ts';

const HEAL_WITHIN_MS = 10_000;

const params = z.strictObject({});

/**
 * The primary takes reads and refuses every write (25006), as a managed database does that has run out of space or is
 * about to be switched over. Sessions that are open feel it with their next transaction. A role or a database that sets
 * `default_transaction_read_only` itself is stronger: then the fault is refused.
 */
export const databaseReadOnly: Fault<z.output<typeof params>> = {
  kind: 'database.read-only',
  summary: 'Makes the primary refuse every write as read-only, by a server setting that is put back as it was.',
  params: zodSchema<z.output<typeof params>>(params),
  targets: ['store'],
  effects: (_params, target, topology) => [
    heldOn(
      onStore('database.read-only', target, topology, ['primary']),
      'store.setting',
      { setting: 'default_transaction_read_only', value: 'on' },
      'held',
      {
        bite: { kind: 'store.writable', args: { writable: false } },
        heal: { kind: 'store.writable', args: { writable: true, withinMs: HEAL_WITHIN_MS } },
      },
    ),
  ],
};
