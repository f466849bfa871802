import { z } from 'zod';
import { durationMs, zodSchema } from '../core/zod-schema.ts';
import type { Check, Finding, Verdict } from '../spi/check.ts';
import type { FaultRecord, JournalView } from '../spi/journal.ts';
import { cutShort } from './cut-short.ts';
import { inWords, percent, seconds } from './phrases.ts';
import { RECOVERED_FOR_MS, recoveryAfter } from './recovered.ts';

export type ConvergenceParams = { of: string; within: number };

const params = z.strictObject({
  of: z.string().meta({ description: 'the scenario' }),
  within: durationMs().meta({ description: 'longest time from the last proved heal to the first 5 good seconds' }),
});

/** However bad it was under the faults: once all of them are healed, the system is well again within a bound. */
export const convergence: Check<ConvergenceParams> = {
  kind: 'convergence',
  summary: 'Once the last fault is healed, users are served again within `within`, and the stores are redundant again.',
  params: zodSchema<ConvergenceParams>(params),
  evaluate: (view, asked) => [judge(view, asked)],
};

function judge(view: JournalView, asked: ConvergenceParams): Finding {
  const bitten = view.faults.filter(({ bittenMs }) => bittenMs !== undefined);
  const healed = bitten.flatMap(({ healedMs }) => healedMs ?? []);
  const lastMs = Math.max(...healed);
  const finding = blank(asked, bitten);
  if (bitten.length === 0)
    return { ...finding, verdict: 'unknown', because: 'No fault bit: there was nothing to converge from.' };
  const degraded = bitten.filter((fault) => staysDegraded(view, fault));
  if (degraded.length > 0) {
    const why = inWords(degraded.map(({ name, notHealed }) => `${name} (${notHealed ?? ''})`));
    return {
      ...finding,
      verdict: 'fail',
      because: `What was broken was put back, but a store was not redundant again in time after ${why}.`,
    };
  }
  const open = bitten.filter(({ healedMs }) => healedMs === undefined).map(({ name }) => name);
  if (open.length > 0) {
    return {
      ...finding,
      verdict: 'unknown',
      because: `${inWords(open)} was never proved healed, so there is no moment to count from.`,
    };
  }
  const { atMs, seenUntilMs, target } = recoveryAfter(view, asked.of, lastMs);
  const measured = { value: (atMs ?? seenUntilMs) - lastMs, unit: 'ms' };
  const after = `After the last heal, at ${seconds(lastMs)}, ${asked.of}`;
  if (atMs !== undefined) {
    const verdict: Verdict = atMs - lastMs <= asked.within ? 'pass' : 'fail';
    const because = `${after} had ${percent(target)} good in 5 s from ${seconds(atMs - lastMs)} on (asked: within ${seconds(asked.within)}). One trial.`;
    return { ...finding, measured, verdict, because };
  }
  const watchedMs = Math.max(0, seenUntilMs - lastMs);
  const missed = `${after} had no 5 s with at least ${percent(target)} good in the ${seconds(watchedMs)} that were watched`;
  if (watchedMs >= asked.within + RECOVERED_FOR_MS) {
    return { ...finding, measured, verdict: 'fail', because: `${missed}; ${seconds(asked.within)} were asked.` };
  }
  const why = cutShort(view)?.why ?? 'the load ended too early to tell';
  return { ...finding, measured, verdict: 'unknown', because: `${missed}: ${why}.` };
}

/** What was broken was put back and looked at, and a store still has no standby that follows. */
function staysDegraded(view: JournalView, { name, healedMs, healProofs }: FaultRecord): boolean {
  if (healedMs !== undefined || !healProofs.some(({ holds }) => !holds)) return false;
  const fault = view.timeline.faults.find((one) => one.name === name);
  return fault?.effects.some(({ heal }) => heal.kind === 'store.redundant') ?? false;
}

function blank(asked: ConvergenceParams, bitten: readonly FaultRecord[]): Omit<Finding, 'verdict' | 'because'> {
  return {
    check: 'convergence',
    scope: asked.of,
    basis: 'trials',
    claim: `well again within ${seconds(asked.within)} of the last proved heal`,
    measured: { value: 0, unit: 'ms' },
    threshold: { value: asked.within, unit: 'ms' },
    sampleCount: bitten.length === 0 ? 0 : 1,
    evidence: bitten.flatMap(({ evidence }) => evidence),
    advisory: false,
  };
}
