import type { ToxicType } from './toxic.ts';

const BYTES_MAX = Number.MAX_SAFE_INTEGER;

/**
 * Lets `bytes` pass on each connection, then ends it on both sides: what was within the limit still arrives. With 0 the
 * first byte ends it. Bytes that passed before the toxic came do not count.
 */
export const limitData: ToxicType = {
  type: 'limit_data',
  attributes: { bytes: { max: BYTES_MAX } },
  start: (initial, { pass, discard }) => {
    let limit = initial.bytes ?? 0;
    let passed = 0;
    let over = false;
    return {
      silent: false,
      push: (item) => {
        if (typeof item === 'string') return over ? undefined : pass(item);
        const rest = over ? 0 : Math.max(0, limit - passed);
        const within = item.subarray(0, rest);
        passed += within.length;
        if (within.length < item.length) discard(item.length - within.length);
        if (within.length > 0) pass(within);
        if (over || passed < limit) return;
        over = true;
        pass('over');
      },
      update: (next) => {
        limit = next.bytes ?? 0;
      },
      remove: () => undefined,
      dispose: () => undefined,
    };
  },
};
