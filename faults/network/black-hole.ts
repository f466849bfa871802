import { z } from 'zod';
import { zodSchema } from '../../harness/core/zod-schema.ts';
import type { Fault } from '../../harness/spi/fault.ts';
import { blackHole } from '../effects.ts';
import { linksOf } from './on-links.ts';

const params = z.strictObject({ stream: z.enum(['both', 'upstream', 'downstream']).prefault('both') });

type BlackHoleParams = z.output<typeof params>;

/**
 * Silence on the links from → to alone, where a partition also cuts the links back. `upstream`: requests never arrive;
 * `downstream`: they arrive and are executed, their answers are lost.
 */
export const networkBlackHole: Fault<BlackHoleParams> = {
  kind: 'network.black-hole',
  summary: 'Silence on the links from one side to the other, one stream or both; the links back are left alone.',
  params: zodSchema<BlackHoleParams>(params),
  targets: ['link'],
  effects: ({ stream }, target, topology) =>
    linksOf('network.black-hole', target, topology).map((link) => blackHole(link, stream, [link.from, link.to])),
};
