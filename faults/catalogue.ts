import type { Fault } from '../harness/spi/fault.ts';
import { databaseColdRestart } from './database/cold-restart.ts';
import { databaseConnectionExhaustion } from './database/connection-exhaustion.ts';
import { databaseDeadlocks } from './database/deadlocks.ts';
import { databaseLockStorm } from './database/lock-storm.ts';
import { databaseLostShard } from './database/lost-shard.ts';
import { databasePrimaryHang } from './database/primary-hang.ts';
import { databasePrimaryKill } from './database/primary-kill.ts';
import { databaseReadOnly } from './database/read-only.ts';
import { databaseReplicationLag } from './database/replication-lag.ts';
import { databaseSlowQueries } from './database/slow-queries.ts';
import { databaseStandbyLoss } from './database/standby-loss.ts';
import { hostCpu } from './host/cpu.ts';
import { hostCpuLimit } from './host/cpu-limit.ts';
import { hostDiskFill } from './host/disk-fill.ts';
import { hostFileDescriptors } from './host/file-descriptors.ts';
import { hostMemory } from './host/memory.ts';
import { idcBlackout } from './idc/blackout.ts';
import { idcIsolation } from './idc/isolation.ts';
import { idcSlowLink } from './idc/slow-link.ts';
import { networkBandwidth } from './network/bandwidth.ts';
import { networkBlackHole } from './network/black-hole.ts';
import { networkFlapping } from './network/flapping.ts';
import { networkLatency } from './network/latency.ts';
import { networkLimitData } from './network/limit-data.ts';
import { networkLoss } from './network/loss.ts';
import { networkPartition } from './network/partition.ts';
import { networkRefuse } from './network/refuse.ts';
import { networkReset } from './network/reset.ts';
import { networkSlicer } from './network/slicer.ts';
import { networkSlowClose } from './network/slow-close.ts';
import { networkTimeout } from './network/timeout.ts';
import { processCrashLoop } from './process/crash-loop.ts';
import { processKill } from './process/kill.ts';
import { processPause } from './process/pause.ts';
import { processRestart } from './process/restart.ts';

/** Every fault a plan can inject, by kind. */
export const FAULTS: readonly Fault[] = [
  databaseColdRestart,
  databaseConnectionExhaustion,
  databaseDeadlocks,
  databaseLockStorm,
  databaseLostShard,
  databasePrimaryHang,
  databasePrimaryKill,
  databaseReadOnly,
  databaseReplicationLag,
  databaseSlowQueries,
  databaseStandbyLoss,
  hostCpu,
  hostCpuLimit,
  hostDiskFill,
  hostFileDescriptors,
  hostMemory,
  idcBlackout,
  idcIsolation,
  idcSlowLink,
  networkBandwidth,
  networkBlackHole,
  networkLatency,
  networkLimitData,
  networkLoss,
  networkFlapping,
  networkPartition,
  networkRefuse,
  networkReset,
  networkSlicer,
  networkSlowClose,
  networkTimeout,
  processCrashLoop,
  processKill,
  processPause,
  processRestart,
] as readonly Fault[];
