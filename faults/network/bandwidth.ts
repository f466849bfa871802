import { z } from 'zod';
import { bytesPerSecond, zodSchema } from '../../harness/core/zod-schema.ts';
import type { Fault } from '../../harness/spi/fault.ts';
import { heldOnLink, LINK_HEAL_MS, linksOf } from './on-links.ts';

/** Below, a measurement of a second tells nothing; above, no small answer fills the line. */
const RATE_MIN = 4000;
const RATE_MAX = 10_000_000;

const params = z.strictObject({
  rate: bytesPerSecond()
    .refine((rate) => rate >= RATE_MIN && rate <= RATE_MAX, 'expected 4KB/s to 10MB/s')
    .refine((rate) => rate % 1000 === 0, 'expected whole KB/s (1 KB = 1000 B)'),
  stream: z.enum(['both', 'upstream', 'downstream']).prefault('both'),
});

type BandwidthParams = z.output<typeof params>;

/** Each connection over the links from → to carries `rate` in each of the streams named, and no more. */
export const networkBandwidth: Fault<BandwidthParams> = {
  kind: 'network.bandwidth',
  summary:
    'Limits what each connection over the links from one side to the other carries; connections do not share it.',
  params: zodSchema<BandwidthParams>(params),
  targets: ['link'],
  effects: ({ rate, stream }, target, topology) =>
    linksOf('network.bandwidth', target, topology).map((link) =>
      heldOnLink(
        'link.bandwidth',
        { rateKBps: rate / 1000, stream },
        link,
        { kind: 'link.throughput', args: { bytesPerSecond: rate, stream } },
        { kind: 'link.throughput', args: { bytesPerSecond: rate, stream, gone: true, withinMs: LINK_HEAL_MS } },
      ),
    ),
};
