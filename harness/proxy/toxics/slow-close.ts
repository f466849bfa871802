import type { Attributes, Ending, ToxicType } from './toxic.ts';

const DAY_MS = 86_400_000;

/**
 * Holds back the connection's end (FIN, reset or the end of a limit) by `delay` ms; bytes pass at once. Taken off, an end
 * that is held goes on at once.
 */
export const slowClose: ToxicType = {
  type: 'slow_close',
  attributes: { delay: { max: DAY_MS } },
  start: (initial, { timers, pass }) => {
    let attributes: Attributes = initial;
    let held: Ending[] = [];
    const cancels = new Set<() => void>();
    const release = (): void => {
      const items = held;
      held = [];
      for (const item of items) pass(item);
    };
    const stop = (): void => {
      for (const cancel of cancels) cancel();
      cancels.clear();
    };
    return {
      silent: false,
      push: (item) => {
        if (typeof item !== 'string') return pass(item);
        held.push(item);
        // One that is held already goes with the first: nothing follows an end but another end.
        if (held.length === 1) cancels.add(timers.after(attributes.delay ?? 0, release));
      },
      update: (next) => {
        attributes = next;
      },
      remove: () => {
        stop();
        release();
      },
      dispose: () => {
        stop();
        held = [];
      },
    };
  },
};
