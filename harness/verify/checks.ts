import type { Check } from '../spi/check.ts';
import { availability } from './availability.ts';
import { convergence } from './convergence.ts';
import { generator } from './generator.ts';
import { injection } from './injection.ts';
import { integrity } from './integrity.ts';
import { isolation } from './isolation.ts';
import { latency } from './latency.ts';
import { recovery } from './recovery.ts';
import { regions } from './regions.ts';
import { traffic, trafficAside } from './traffic.ts';

/** What a plan's `verify` may name. */
export const CHECKS: readonly Check[] = [availability, latency, recovery, convergence, integrity, isolation, traffic];

/** Judged in every run, asked for or not. */
export const ALWAYS: readonly Check[] = [injection, generator, regions, trafficAside];
