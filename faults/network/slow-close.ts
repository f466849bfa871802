import { z } from 'zod';
import { durationMs, zodSchema } from '../../harness/core/zod-schema.ts';
import type { Fault } from '../../harness/spi/fault.ts';
import { heldOnLink, LINK_HEAL_MS, linksOf } from './on-links.ts';

const DELAY_MIN_MS = 100;
/** Beyond, the five seconds that a bite has are not enough to see it. */
const DELAY_MAX_MS = 3000;

const params = z.strictObject({
  delay: durationMs().refine((ms) => ms >= DELAY_MIN_MS && ms <= DELAY_MAX_MS, 'expected 100ms to 3s'),
  stream: z.enum(['upstream', 'downstream']).prefault('downstream'),
});

type SlowCloseParams = z.output<typeof params>;

/** The end of a connection over the links from → to arrives `delay` late; `downstream`: the end that the called side sends. */
export const networkSlowClose: Fault<SlowCloseParams> = {
  kind: 'network.slow-close',
  summary: 'Holds back the end of each connection over the links from one side to the other; bytes pass at once.',
  params: zodSchema<SlowCloseParams>(params),
  targets: ['link'],
  effects: ({ delay, stream }, target, topology) => {
    const asked = { delayMs: delay, stream };
    return linksOf('network.slow-close', target, topology).map((link) =>
      heldOnLink(
        'link.slow-close',
        asked,
        link,
        { kind: 'link.close-delay', args: asked },
        { kind: 'link.close-delay', args: { ...asked, gone: true, withinMs: LINK_HEAL_MS } },
      ),
    );
  },
};
