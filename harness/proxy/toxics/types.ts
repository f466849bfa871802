import { bandwidth } from './bandwidth.ts';
import { latency } from './latency.ts';
import { limitData } from './limit-data.ts';
import { resetPeer } from './reset-peer.ts';
import { slicer } from './slicer.ts';
import { slowClose } from './slow-close.ts';
import { timeout } from './timeout.ts';
import type { ToxicType } from './toxic.ts';

/** Every toxic this proxy knows, by the name in Toxiproxy's API. */
export const TOXIC_TYPES: ReadonlyMap<string, ToxicType> = new Map(
  [bandwidth, latency, limitData, resetPeer, slicer, slowClose, timeout].map((type) => [type.type, type]),
);
