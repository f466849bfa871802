import { FAULTS } from '../../faults/catalogue.ts';
import type { Check } from '../../harness/spi/check.ts';
import type { Fault } from '../../harness/spi/fault.ts';
import { availability } from '../../harness/verify/availability.ts';
import { integrity } from '../../harness/verify/integrity.ts';
import { isolation } from '../../harness/verify/isolation.ts';
import { latency } from '../../harness/verify/latency.ts';
import { recovery } from '../../harness/verify/recovery.ts';

const CHECKS = [availability, integrity, isolation, latency, recovery] as unknown as readonly Check[];

/** The real faults and checks, as the registry hands them to the plan. */
export const CATALOGUE: { faults: Record<string, Fault>; checks: Record<string, Check> } = {
  faults: Object.fromEntries(FAULTS.map((fault) => [fault.kind, fault])),
  checks: Object.fromEntries(CHECKS.map((check) => [check.kind, check])),
};
