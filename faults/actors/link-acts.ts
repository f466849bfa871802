import type { Act } from './acts.ts';

/** Known to the driver of this helper alone: no fault asks for it by this name. */
export const FLAP_LINK = 'helper.flap-link';

/** Helpers that work on links. */
export const LINK_ACTS: readonly Act[] = [
  {
    effect: FLAP_LINK,
    powers: ['link.toxics'],
    program: 'flap-link',
    args: ({ args }) => ({ undo: args.undo!, upMs: args.upMs!, downMs: args.downMs! }),
  },
];
