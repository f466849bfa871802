import { FAULTS } from '../faults/catalogue.ts';
import { actorDriver } from '../faults/drivers/actor.ts';
import { cpuQuotaDriver } from '../faults/drivers/cpu-quota.ts';
import { crashLoopDriver } from '../faults/drivers/crash-loop.ts';
import { diskFillDriver } from '../faults/drivers/disk-fill.ts';
import { flappingDriver } from '../faults/drivers/flapping.ts';
import { limitsDriver } from '../faults/drivers/limits.ts';
import { nftablesDriver } from '../faults/drivers/nftables.ts';
import { pauseDriver } from '../faults/drivers/pause.ts';
import { processDriver } from '../faults/drivers/process.ts';
import { proxyDriver } from '../faults/drivers/proxy.ts';
import { sqlDriver } from '../faults/drivers/sql.ts';
import { stressDriver } from '../faults/drivers/stress.ts';
import { htmlReporter } from '../reports/html.ts';
import { jsonReporter } from '../reports/json.ts';
import { junitReporter } from '../reports/junit.ts';
import { markdownReporter } from '../reports/markdown.ts';
import { autocannonDriver } from './load/autocannon.ts';
import { k6Driver } from './load/k6.ts';
import { nativeDriver } from './load/native.ts';
import { recordingSummary } from './load/recording/recording-ends.ts';
import { PROBES } from './observe/probe.ts';
import { containersRuntime } from './runtime/containers.ts';
import { existingRuntime } from './runtime/existing.ts';
import { localRuntime } from './runtime/local.ts';
import { shadowHeaders } from './shadow/tag.ts';
import type { Check } from './spi/check.ts';
import type { Fault, FaultDriver } from './spi/fault.ts';
import type { LoadDriver } from './spi/load.ts';
import type { Reporter } from './spi/reporter.ts';
import type { RuntimeDriver } from './spi/runtime.ts';
import { CHECKS } from './verify/checks.ts';

/** The built-ins, by name. This is the only file that imports concretes. */
export { pacingOf } from './load/pacing.ts';
export { startProbeAgent } from './observe/agent.ts';
export { markerOf, neutralMarkerOf } from './shadow/marker.ts';
export { CHECKS, FAULTS, PROBES };

export const RUNTIMES: readonly RuntimeDriver[] = [localRuntime, containersRuntime, existingRuntime];
export const LOAD_DRIVERS: readonly LoadDriver[] = [
  nativeDriver({ tag: shadowHeaders }),
  k6Driver({ tag: shadowHeaders }),
  autocannonDriver({ tag: shadowHeaders }),
];
export const FAULT_DRIVERS: readonly FaultDriver[] = [
  proxyDriver,
  processDriver,
  actorDriver,
  sqlDriver,
  cpuQuotaDriver,
  crashLoopDriver,
  diskFillDriver,
  flappingDriver,
  limitsDriver,
  nftablesDriver,
  pauseDriver,
  stressDriver,
];
export const REPORTERS: readonly Reporter[] = [htmlReporter, jsonReporter, junitReporter, markdownReporter];

/** What a plan may name. */
export const CATALOGUE = {
  faults: byKind<Fault>(FAULTS),
  checks: byKind<Check>(CHECKS),
  recording: recordingSummary,
};

function byKind<T extends { kind: string }>(all: readonly T[]): Record<string, T> {
  return Object.fromEntries(all.map((one) => [one.kind, one]));
}
