import { z } from 'zod';
import { zodSchema } from '../../harness/core/zod-schema.ts';
import type { Fault } from '../../harness/spi/fault.ts';
import { ANSWERS, heldOnLink, linksOf } from './on-links.ts';

const params = z.strictObject({});

/** The listeners of the links from → to are closed: new connections are refused, those that were there end. */
export const networkRefuse: Fault<z.output<typeof params>> = {
  kind: 'network.refuse',
  summary: 'Every new connection over the links from one side to the other is refused; those that were there end.',
  params: zodSchema<z.output<typeof params>>(params),
  targets: ['link'],
  effects: (_params, target, topology) =>
    linksOf('network.refuse', target, topology).map((link) =>
      heldOnLink('link.down', {}, link, { kind: 'link.refused', args: {} }, ANSWERS),
    ),
};
