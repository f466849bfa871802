import { z } from 'zod';
import { durationMs, zodSchema } from '../../harness/core/zod-schema.ts';
import type { Fault } from '../../harness/spi/fault.ts';
import { linksBetween, notTaken } from '../targets.ts';

/** A longer wait cannot be told from silence by a probe that has five seconds. */
const DELAY_MAX_MS = 4000;
const HEAL_WITHIN_MS = 10_000;

const params = z
  .strictObject({
    delay: durationMs().refine(
      (ms) => ms >= 1 && ms <= DELAY_MAX_MS,
      'expected 1ms to 4s; beyond, use network.partition',
    ),
    jitter: durationMs().prefault('0ms'),
    stream: z.enum(['both', 'upstream', 'downstream']).prefault('both'),
  })
  .refine(({ delay, jitter }) => jitter <= delay, { path: ['jitter'], message: 'expected at most the delay' });

type LatencyParams = z.output<typeof params>;

/** The round trip over each link from → to rises by `delay` ± `jitter`; the handshake is not delayed. */
export const networkLatency: Fault<LatencyParams> = {
  kind: 'network.latency',
  summary: 'Adds a delay to every round trip over the links from one side to the other; connecting is not delayed.',
  params: zodSchema<LatencyParams>(params),
  targets: ['link'],
  effects: ({ delay, jitter, stream }, target, topology) => {
    if (!('link' in target)) throw notTaken('network.latency', target);
    return linksBetween(target.link.from, target.link.to, topology).map((link) => {
      const on = { link: link.id };
      return {
        kind: 'link.latency',
        on,
        args: { delayMs: delay, jitterMs: jitter, stream },
        mode: 'held',
        undo: 'revert',
        touches: { nodes: [link.from, link.to] },
        bite: { kind: 'link.round-trip', on, args: { addedMs: delay, jitterMs: jitter } },
        heal: { kind: 'link.round-trip', on, args: { goneMs: delay, withinMs: HEAL_WITHIN_MS } },
      };
    });
  },
};
