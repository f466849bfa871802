import { z } from 'zod';
import { durationMs, sizeBytes, zodSchema } from '../../harness/core/zod-schema.ts';
import type { Fault } from '../../harness/spi/fault.ts';
import { heldOnLink, LINK_HEAL_MS, linksOf } from './on-links.ts';

/** Larger pieces or longer pauses cannot be measured in the five seconds that a bite has. */
const SIZE_MAX_BYTES = 4000;
const DELAY_MIN_MS = 5;
const DELAY_MAX_MS = 80;

const params = z
  .strictObject({
    size: sizeBytes().refine(
      (bytes) => Number.isInteger(bytes) && bytes >= 16 && bytes <= SIZE_MAX_BYTES,
      'expected 16B to 4KB',
    ),
    variation: sizeBytes().refine(Number.isInteger, 'expected whole bytes').prefault('0B'),
    delay: durationMs().refine((ms) => ms >= DELAY_MIN_MS && ms <= DELAY_MAX_MS, 'expected 5ms to 80ms'),
    stream: z.enum(['both', 'upstream', 'downstream']).prefault('downstream'),
  })
  .refine(({ size, variation }) => variation < size, { path: ['variation'], message: 'expected less than the size' });

type SlicerParams = z.output<typeof params>;

/** What passes over the links from → to comes in pieces of `size` ± `variation`, with `delay` after each. */
export const networkSlicer: Fault<SlicerParams> = {
  kind: 'network.slicer',
  summary: 'Cuts what passes over the links from one side to the other into small pieces with a pause after each.',
  params: zodSchema<SlicerParams>(params),
  targets: ['link'],
  effects: ({ size, variation, delay, stream }, target, topology) => {
    const asked = { sizeBytes: size, variationBytes: variation, delayMs: delay, stream };
    return linksOf('network.slicer', target, topology).map((link) =>
      heldOnLink(
        'link.slicer',
        asked,
        link,
        { kind: 'link.sliced', args: asked },
        { kind: 'link.sliced', args: { ...asked, gone: true, withinMs: LINK_HEAL_MS } },
      ),
    );
  },
};
