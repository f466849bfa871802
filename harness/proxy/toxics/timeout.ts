import type { Attributes, ToxicType } from './toxic.ts';

const DAY_MS = 86_400_000;

/**
 * Nothing passes: bytes are dropped, and neither the FIN nor the reset of the sender gets through. With `timeout` > 0 the
 * connection closes that many ms after the toxic met it, data or not; with 0 it is a black hole that holds until the
 * toxic is taken off, which closes the connection, since bytes of it are lost.
 */
export const timeout: ToxicType = {
  type: 'timeout',
  attributes: { timeout: { max: DAY_MS } },
  start: (initial, { timers, discard, close }) => {
    let cancel: (() => void) | undefined;
    const arm = (attributes: Attributes): void => {
      cancel?.();
      const afterMs = attributes.timeout ?? 0;
      cancel = afterMs === 0 ? undefined : timers.after(afterMs, () => close('fin'));
    };
    arm(initial);
    return {
      silent: true,
      push: (item) => {
        if (typeof item !== 'string') discard(item.length);
      },
      update: arm,
      remove: () => close('fin'),
      dispose: () => cancel?.(),
    };
  },
};
