import type { Fault } from '../harness/spi/fault.ts';
import { databasePrimaryKill } from './database/primary-kill.ts';
import { idcBlackout } from './idc/blackout.ts';
import { networkLatency } from './network/latency.ts';
import { networkPartition } from './network/partition.ts';
import { processKill } from './process/kill.ts';

/** Every fault a plan can inject, by kind. */
export const FAULTS: readonly Fault[] = [
  databasePrimaryKill,
  idcBlackout,
  networkLatency,
  networkPartition,
  processKill,
] as readonly Fault[];
