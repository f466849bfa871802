/**
 * Seawall as a library: validate and compile plans, judge journals, and the seams for drivers of one's own. Everything
 * else is internal and may change.
 */
export { ERROR_CODES, type ErrorCode, HarnessError } from './core/errors.ts';
export { compile } from './plan/compile.ts';
export { explain } from './plan/explain.ts';
export { formatIssue, type Issue } from './plan/issue.ts';
export { validatePlan } from './plan/validate.ts';
export { CATALOGUE, CHECKS, FAULT_DRIVERS, FAULTS, LOAD_DRIVERS, REPORTERS, RUNTIMES } from './registry.ts';
export { Run, type RunDeps, type RunOptions, type RunResult } from './run/runner.ts';
export type * from './spi/check.ts';
export type * from './spi/fault.ts';
export type * from './spi/journal.ts';
export type * from './spi/load.ts';
export type * from './spi/plan.ts';
export type * from './spi/reporter.ts';
export type * from './spi/runtime.ts';
export type * from './spi/stack.ts';
export type * from './spi/timeline.ts';
export type * from './spi/topology.ts';
