import { basename } from 'node:path';
import { FAULTS } from '../../faults/catalogue.ts';
import { HarnessError } from '../../harness/core/errors.ts';
import type { Catalogue } from '../../harness/plan/catalogue.ts';
import type { Check } from '../../harness/spi/check.ts';
import type { Fault } from '../../harness/spi/fault.ts';
import { availability } from '../../harness/verify/availability.ts';
import { convergence } from '../../harness/verify/convergence.ts';
import { integrity } from '../../harness/verify/integrity.ts';
import { isolation } from '../../harness/verify/isolation.ts';
import { latency } from '../../harness/verify/latency.ts';
import { recovery } from '../../harness/verify/recovery.ts';
import { traffic } from '../../harness/verify/traffic.ts';

const CHECKS = [
  availability,
  convergence,
  integrity,
  isolation,
  latency,
  recovery,
  traffic,
] as unknown as readonly Check[];

/** The real faults and checks, as the registry hands them to the plan, and one recording: ten minutes at 100/s. */
export const CATALOGUE: Catalogue = {
  faults: Object.fromEntries(FAULTS.map((fault) => [fault.kind, fault as Fault])),
  checks: Object.fromEntries(CHECKS.map((check) => [check.kind, check])),
  recording: (path) => {
    if (basename(path) === 'day.swr') return { requests: 60_000, firstMs: 1_000_000, lastMs: 1_600_000 };
    throw new HarnessError('FILE_UNREADABLE', `${basename(path)}: no such file`, 'Give the path of a recording.');
  },
};
