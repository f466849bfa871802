import { z } from 'zod';
import { sizeBytes, zodSchema } from '../../harness/core/zod-schema.ts';
import type { Fault } from '../../harness/spi/fault.ts';
import { heldOnLink, LINK_HEAL_MS, linksOf } from './on-links.ts';

const BYTES_MIN = 100;
/** More takes a measurement longer than it has. */
const BYTES_MAX = 100_000;

const params = z.strictObject({
  bytes: sizeBytes().refine(
    (bytes) => Number.isInteger(bytes) && bytes >= BYTES_MIN && bytes <= BYTES_MAX,
    'expected 100B to 100KB',
  ),
  stream: z.enum(['upstream', 'downstream']).prefault('downstream'),
});

type LimitDataParams = z.output<typeof params>;

/** Each connection over the links from → to ends when `bytes` have passed in that stream; what is over is lost. */
export const networkLimitData: Fault<LimitDataParams> = {
  kind: 'network.limit-data',
  summary:
    'Ends each connection over the links from one side to the other after so many bytes, in mid-answer if need be.',
  params: zodSchema<LimitDataParams>(params),
  targets: ['link'],
  effects: ({ bytes, stream }, target, topology) =>
    linksOf('network.limit-data', target, topology).map((link) =>
      heldOnLink(
        'link.limit-data',
        { bytes, stream },
        link,
        { kind: 'link.limited', args: { bytes, stream } },
        { kind: 'link.limited', args: { bytes, stream, gone: true, withinMs: LINK_HEAL_MS } },
      ),
    ),
};
