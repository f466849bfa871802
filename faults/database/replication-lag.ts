import { z } from 'zod';
import { durationMs, zodSchema } from '../../harness/core/zod-schema.ts';
import type { Fault } from '../../harness/spi/fault.ts';
import { heldOn, onStore } from './on-store.ts';

const LAG_MIN_MS = 500;
const LAG_MAX_MS = 3_600_000;
/** A standby that keeps up shows a commit within this, on a busy machine too. */
const KEPT_UP_MS = 1000;
const HEAL_WITHIN_MS = 20_000;

const params = z.strictObject({
  lag: durationMs().refine((ms) => ms >= LAG_MIN_MS && ms <= LAG_MAX_MS, 'expected 500ms to 1h'),
});
type LagParams = z.output<typeof params>;

/**
 * The standby receives and keeps every commit, and shows it `lag` later: reads from it are that stale, and a promotion
 * has so much to catch up on. Nothing is lost by it, and commits wait no longer unless they ask to be shown there first.
 */
export const databaseReplicationLag: Fault<LagParams> = {
  kind: 'database.replication-lag',
  summary: 'Lets the standby show every commit so much later; it still receives and keeps them at once.',
  params: zodSchema<LagParams>(params),
  targets: ['store'],
  effects: ({ lag }, target, topology) => [
    heldOn(
      onStore('database.replication-lag', target, topology, ['standby']),
      'store.setting',
      { setting: 'recovery_min_apply_delay', value: `${Math.round(lag)}ms` },
      'held',
      {
        bite: { kind: 'store.replication-lag', args: { lagMs: Math.round(lag) } },
        heal: {
          kind: 'store.replication-lag',
          args: { belowMs: Math.min(KEPT_UP_MS, Math.round(lag / 2)), withinMs: HEAL_WITHIN_MS },
        },
      },
    ),
  ],
};
