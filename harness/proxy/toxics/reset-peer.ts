import type { Attributes, ToxicType } from './toxic.ts';

const DAY_MS = 86_400_000;

/**
 * Resets the connection (RST on both sides) `timeout` ms after the toxic met it, whether it is new or was there before
 * and whether data flows or not. Until then nothing passes.
 */
export const resetPeer: ToxicType = {
  type: 'reset_peer',
  attributes: { timeout: { max: DAY_MS } },
  start: (initial, { timers, discard, close }) => {
    let swallowed = false;
    let cancel: (() => void) | undefined;
    const arm = (attributes: Attributes): void => {
      cancel?.();
      cancel = timers.after(attributes.timeout ?? 0, () => close('reset'));
    };
    arm(initial);
    return {
      silent: false,
      push: (item) => {
        swallowed = true;
        if (typeof item !== 'string') discard(item.length);
      },
      update: arm,
      remove: () => {
        cancel?.();
        if (swallowed) close('reset');
      },
      dispose: () => cancel?.(),
    };
  },
};
