import { z } from 'zod';
import { durationMs, zodSchema } from '../../harness/core/zod-schema.ts';
import type { Fault } from '../../harness/spi/fault.ts';
import { ANSWERS, heldOnLink, linksOf } from './on-links.ts';

const AFTER_MIN_MS = 100;
/** Beyond, the five seconds that a bite has are not enough to see it. */
const AFTER_MAX_MS = 3000;

const params = z.strictObject({
  after: durationMs().refine(
    (ms) => ms >= AFTER_MIN_MS && ms <= AFTER_MAX_MS,
    'expected 100ms to 3s; for silence without an end use network.black-hole',
  ),
});

type TimeoutParams = z.output<typeof params>;

/** Connections over the links from → to hang and are closed after `after`, as by a proxy that gives up waiting. */
export const networkTimeout: Fault<TimeoutParams> = {
  kind: 'network.timeout',
  summary: 'Nothing passes the links from one side to the other, and each connection is closed after a time.',
  params: zodSchema<TimeoutParams>(params),
  targets: ['link'],
  effects: ({ after }, target, topology) =>
    linksOf('network.timeout', target, topology).map((link) =>
      heldOnLink(
        'link.timeout',
        { afterMs: after },
        link,
        { kind: 'link.ended', args: { how: 'fin', afterMs: after } },
        ANSWERS,
      ),
    ),
};
