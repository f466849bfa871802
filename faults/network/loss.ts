import { z } from 'zod';
import { percentage, zodSchema } from '../../harness/core/zod-schema.ts';
import type { Fault } from '../../harness/spi/fault.ts';
import { heldOnLink, linksOf } from './on-links.ts';

/** A smaller share needs more handshakes than a probe makes; more is a partition. */
const SHARE_MIN = 0.02;
const SHARE_MAX = 0.9;

const params = z.strictObject({
  share: percentage().refine(
    (share) => share >= SHARE_MIN && share <= SHARE_MAX,
    'expected 2% to 90%; all of it is network.partition with layer: packet',
  ),
  stream: z.enum(['both', 'upstream', 'downstream']).prefault('both'),
});

type LossParams = z.output<typeof params>;

/** Each packet on the links from → to is dropped by chance; TCP repeats it, later and later. */
export const networkLoss: Fault<LossParams> = {
  kind: 'network.loss',
  summary: 'Drops a share of the packets on the links from one side to the other, by chance; containers only.',
  params: zodSchema<LossParams>(params),
  targets: ['link'],
  effects: ({ share, stream }, target, topology) => {
    const measured = { share, ways: stream === 'both' ? 2 : 1 };
    return linksOf('network.loss', target, topology).map((link) =>
      heldOnLink(
        'link.loss',
        { share, stream },
        link,
        { kind: 'link.lost', args: measured },
        { kind: 'link.lost', args: { ...measured, gone: true } },
      ),
    );
  },
};
