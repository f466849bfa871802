import { z } from 'zod';
import { durationMs, zodSchema } from '../../harness/core/zod-schema.ts';
import type { Fault } from '../../harness/spi/fault.ts';
import { linksOf } from './on-links.ts';

const PART_MIN_MS = 200;
/** Two whole turns must be seen in the five seconds that a bite has. */
const PERIOD_MAX_MS = 1200;

const part = () => durationMs().refine((ms) => ms >= PART_MIN_MS, 'expected 200ms or more');

const params = z.strictObject({ up: part(), down: part() }).refine(({ up, down }) => up + down <= PERIOD_MAX_MS, {
  path: ['down'],
  message: 'expected at most 1.2s together with up; for slower turns repeat network.black-hole',
});

type FlappingParams = z.output<typeof params>;

/** The links from → to are silent for `down`, whole for `up`, and so on, each on its own beat. */
export const networkFlapping: Fault<FlappingParams> = {
  kind: 'network.flapping',
  summary: 'Turns the links from one side to the other silent and whole again, in quick turns.',
  params: zodSchema<FlappingParams>(params),
  targets: ['link'],
  effects: ({ up, down }, target, topology) => {
    const asked = { upMs: up, downMs: down };
    return linksOf('network.flapping', target, topology).map((link) => {
      const on = { link: link.id };
      return {
        kind: 'link.flapping',
        on,
        args: asked,
        mode: 'acting',
        undo: 'revert',
        touches: { nodes: [link.from, link.to] },
        bite: { kind: 'link.flapping', on, args: asked },
        heal: { kind: 'link.flapping', on, args: { ...asked, gone: true } },
      };
    });
  },
};
