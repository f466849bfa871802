import { bandwidth } from './bandwidth.ts';
import { latency } from './latency.ts';
import { resetPeer } from './reset-peer.ts';
import { timeout } from './timeout.ts';
import type { ToxicType } from './toxic.ts';

/** Every toxic this proxy knows, by the name in Toxiproxy's API. */
export const TOXIC_TYPES: ReadonlyMap<string, ToxicType> = new Map(
  [bandwidth, latency, resetPeer, timeout].map((type) => [type.type, type]),
);
