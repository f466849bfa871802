import { isAskersFault } from '../core/errors.ts';
import type { Finding, Verdict } from '../spi/check.ts';

/** fail beats unknown beats pass; what is only advisory never counts; no evidence is unknown. */
export function mergeVerdicts(findings: readonly Pick<Finding, 'verdict' | 'advisory'>[]): Verdict {
  const counted = findings.filter(({ advisory }) => !advisory).map(({ verdict }) => verdict);
  if (counted.includes('fail')) return 'fail';
  return counted.length === 0 || counted.includes('unknown') ? 'unknown' : 'pass';
}

export type Outcome = 'completed' | 'interrupted' | 'aborted' | 'failed';

/** What the process ends with: 5 unhealed, 130 interrupted, 3 plan or usage, 4 harness, then the verdict (0, 1, 2). */
export function exitCode(result: {
  verdict: Verdict;
  outcome: Outcome;
  leftovers: readonly string[];
  errorCode: string | undefined;
}): number {
  if (result.leftovers.length > 0) return 5;
  if (result.outcome === 'interrupted') return 130;
  if (result.errorCode !== undefined && isAskersFault(result.errorCode)) return 3;
  if (result.errorCode !== undefined || result.outcome === 'failed') return 4;
  return { pass: 0, fail: 1, unknown: 2 }[result.verdict];
}
