import { PHASES } from '../spi/journal.ts';

/** The steps of one fault, in order. */
const FAULT_STEPS = ['prepare', 'fsync', 'apply', 'probe-bite', 'hold', 'revert', 'probe-heal'] as const;

/** The steps of `heal`. */
const HEAL_STEPS = ['foreign', 'reap', 'close'] as const;

/**
 * Every moment at which the safety tests halt and kill the tool: each phase as it opens, both sides of each step of a
 * fault, and both sides of each step of `heal`.
 */
export const CHECKPOINTS: readonly string[] = [
  ...PHASES.map((phase) => `phase:${phase}`),
  ...FAULT_STEPS.flatMap((step) => [`fault:${step}:begin`, `fault:${step}:end`]),
  ...HEAL_STEPS.flatMap((step) => [`heal:${step}:begin`, `heal:${step}:end`]),
];
