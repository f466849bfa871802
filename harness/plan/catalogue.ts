import type { Check } from '../spi/check.ts';
import type { Fault } from '../spi/fault.ts';

/** What a plan may name: handed in, since no room knows another. */
export interface Catalogue {
  faults: Readonly<Record<string, Fault>>;
  checks: Readonly<Record<string, Check>>;
  /** What a recording says of itself; throws HarnessError for a file that is none, or not whole. */
  recording(path: string): { requests: number; firstMs: number; lastMs: number };
}
