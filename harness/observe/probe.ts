import type { Probe } from '../spi/fault.ts';
import { linkAnswers } from './probes/link-answers.ts';
import { linkCloseDelay } from './probes/link-close-delay.ts';
import { linkEnded } from './probes/link-ended.ts';
import { linkFlapping } from './probes/link-flapping.ts';
import { linkLimited } from './probes/link-limited.ts';
import { linkLost } from './probes/link-lost.ts';
import { linkRefused } from './probes/link-refused.ts';
import { linkRoundTrip } from './probes/link-round-trip.ts';
import { linkSilent } from './probes/link-silent.ts';
import { linkSliced } from './probes/link-sliced.ts';
import { linkThroughput } from './probes/link-throughput.ts';
import { nodeCpuCapped, nodeCpuFree } from './probes/node-cpu-capped.ts';
import { nodeCpuWanted } from './probes/node-cpu-wanted.ts';
import { nodeCrashLooping } from './probes/node-crash-looping.ts';
import { nodeDiskFree, nodeDiskFull } from './probes/node-disk.ts';
import { nodeDown } from './probes/node-down.ts';
import { nodeFrozen } from './probes/node-frozen.ts';
import { nodeHelperGone } from './probes/node-helper-gone.ts';
import { nodeMemoryHeld } from './probes/node-memory-held.ts';
import { nodeRestarted } from './probes/node-restarted.ts';
import { nodeTakesNoMore } from './probes/node-takes-no-more.ts';
import { nodeUp } from './probes/node-up.ts';
import { storeCold } from './probes/store-cold.ts';
import { storeConnects } from './probes/store-connects.ts';
import { storeDeadlockRate } from './probes/store-deadlock-rate.ts';
import { storeLockWait } from './probes/store-lock-wait.ts';
import { storeQueryTime } from './probes/store-query-time.ts';
import { storeRedundant } from './probes/store-redundant.ts';
import { storeReplicationLag } from './probes/store-replication-lag.ts';
import { storeWritable } from './probes/store-writable.ts';

/** Every probe by kind. */
export const PROBES: ReadonlyMap<string, Probe> = new Map(
  [
    linkAnswers,
    linkCloseDelay,
    linkEnded,
    linkFlapping,
    linkLimited,
    linkLost,
    linkRefused,
    linkSliced,
    linkThroughput,
    linkRoundTrip,
    linkSilent,
    nodeCpuCapped,
    nodeCpuFree,
    nodeCpuWanted,
    nodeCrashLooping,
    nodeDiskFree,
    nodeDiskFull,
    nodeDown,
    nodeFrozen,
    nodeHelperGone,
    nodeMemoryHeld,
    nodeRestarted,
    nodeTakesNoMore,
    nodeUp,
    storeCold,
    storeConnects,
    storeDeadlockRate,
    storeLockWait,
    storeQueryTime,
    storeReplicationLag,
    storeWritable,
    storeRedundant,
  ].map((probe) => [probe.kind, probe]),
);
