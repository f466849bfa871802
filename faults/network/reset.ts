import { z } from 'zod';
import { durationMs, zodSchema } from '../../harness/core/zod-schema.ts';
import type { Fault } from '../../harness/spi/fault.ts';
import { ANSWERS, heldOnLink, linksOf } from './on-links.ts';

/** Beyond, the five seconds that a bite has are not enough to see it. */
const AFTER_MAX_MS = 3000;

const params = z.strictObject({
  after: durationMs()
    .refine((ms) => ms <= AFTER_MAX_MS, 'expected at most 3s')
    .prefault('0ms'),
});

type ResetParams = z.output<typeof params>;

/** Connections over the links from → to, old and new, are reset after `after`; until then nothing passes. */
export const networkReset: Fault<ResetParams> = {
  kind: 'network.reset',
  summary: 'Resets every connection over the links from one side to the other after a time; nothing passes until then.',
  params: zodSchema<ResetParams>(params),
  targets: ['link'],
  effects: ({ after }, target, topology) =>
    linksOf('network.reset', target, topology).map((link) =>
      heldOnLink(
        'link.reset',
        { afterMs: after },
        link,
        { kind: 'link.ended', args: { how: 'reset', afterMs: after } },
        ANSWERS,
      ),
    ),
};
