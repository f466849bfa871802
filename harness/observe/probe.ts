import type { Probe } from '../spi/fault.ts';
import { linkAnswers } from './probes/link-answers.ts';
import { linkRoundTrip } from './probes/link-round-trip.ts';
import { linkSilent } from './probes/link-silent.ts';
import { nodeDown } from './probes/node-down.ts';
import { nodeUp } from './probes/node-up.ts';
import { storeRedundant } from './probes/store-redundant.ts';

/** Every probe by kind. */
export const PROBES: ReadonlyMap<string, Probe> = new Map(
  [linkAnswers, linkRoundTrip, linkSilent, nodeDown, nodeUp, storeRedundant].map((probe) => [probe.kind, probe]),
);
