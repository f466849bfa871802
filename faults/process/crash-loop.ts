import { z } from 'zod';
import { durationMs, zodSchema } from '../../harness/core/zod-schema.ts';
import type { Fault } from '../../harness/spi/fault.ts';
import { nodeHeal } from '../effects.ts';
import { nodesOf, notTaken } from '../targets.ts';

const EVERY_MIN_MS = 500;
const EVERY_MAX_MS = 30_000;

const params = z.strictObject({
  every: durationMs()
    .prefault('2s')
    .refine((ms) => ms >= EVERY_MIN_MS && ms <= EVERY_MAX_MS, 'expected 500ms to 30s'),
});

type CrashLoopParams = z.output<typeof params>;

/** The nodes die again and again, the first time at once, and are started again at once each time. They run at the end. */
export const processCrashLoop: Fault<CrashLoopParams> = {
  kind: 'process.crash-loop',
  summary: 'Kills a node, or every node of a service or an IDC, again and again; each time it starts again at once.',
  params: zodSchema<CrashLoopParams>(params),
  targets: ['node', 'service', 'idc'],
  effects: ({ every }, target, topology) => {
    if ('link' in target || 'store' in target) throw notTaken('process.crash-loop', target);
    return nodesOf(target, topology).map((node) => {
      const on = { node: node.id };
      return {
        kind: 'node.crash-looping',
        on,
        args: { everyMs: every },
        mode: 'acting',
        undo: 'restart',
        touches: { nodes: [node.id] },
        bite: { kind: 'node.crash-looping', on, args: { everyMs: every } },
        heal: nodeHeal(node, topology),
      };
    });
  },
};
