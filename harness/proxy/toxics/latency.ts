import { DelayQueue } from './delay-queue.ts';
import type { ToxicType } from './toxic.ts';

const DAY_MS = 86_400_000;

/**
 * Delays every item by `latency` ± a uniform `jitter`, in ms, keeping their order. The handshake is not delayed: the
 * proxy has accepted by then. Taken off, what is held goes on at once.
 */
export const latency: ToxicType = {
  type: 'latency',
  attributes: { latency: { max: DAY_MS }, jitter: { max: DAY_MS } },
  start: (initial, { timers, random, pass }) => {
    let attributes = initial;
    const queue = new DelayQueue(timers, pass);
    const delayMs = (): number => {
      const jitter = attributes.jitter ?? 0;
      return (attributes.latency ?? 0) + (jitter === 0 ? 0 : random.integer(-jitter, jitter));
    };
    return {
      silent: false,
      push: (item) => queue.push(item, timers.now() + Math.max(0, delayMs())),
      update: (next) => {
        attributes = next;
      },
      remove: () => queue.flush(),
      dispose: () => queue.clear(),
    };
  },
};
