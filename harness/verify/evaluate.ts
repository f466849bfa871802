import { messageOf } from '../core/errors.ts';
import type { Check, Finding } from '../spi/check.ts';
import type { JournalView } from '../spi/journal.ts';
import type { JsonObject } from '../spi/json.ts';
import { ALWAYS, CHECKS } from './checks.ts';

/** Every finding: what the plan asks first, then what is judged in every run. A check that throws gives unknown. */
export function evaluateAll(
  view: JournalView,
  checks: readonly Check[] = CHECKS,
  always: readonly Check[] = ALWAYS,
): Finding[] {
  const asked = view.timeline.checks.flatMap(({ check, params, advisory }) => {
    const found = checks.find(({ kind }) => kind === check);
    const findings =
      found === undefined
        ? [unjudged(check, params, `this Seawall knows no check named ${check}`)]
        : evaluateOne(view, found, params);
    return advisory ? findings.map((finding) => ({ ...finding, advisory: true })) : findings;
  });
  return [...asked, ...always.flatMap((check) => evaluateOne(view, check, {}))];
}

function evaluateOne(view: JournalView, check: Check, params: JsonObject): Finding[] {
  try {
    return check.evaluate(view, params);
  } catch (thrown) {
    return [unjudged(check.kind, params, `the check itself failed: ${messageOf(thrown)}`)];
  }
}

function unjudged(check: string, params: JsonObject, why: string): Finding {
  return {
    check,
    scope: typeof params.of === 'string' ? params.of : check,
    verdict: 'unknown',
    basis: 'trials',
    claim: `${check} can be judged`,
    measured: { value: 0, unit: 'samples' },
    threshold: undefined,
    sampleCount: 0,
    because: `Not judged: ${why}.`,
    evidence: [],
    advisory: false,
  };
}
