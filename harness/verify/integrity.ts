import { z } from 'zod';
import { zodSchema } from '../core/zod-schema.ts';
import type { Check, Finding } from '../spi/check.ts';
import { cutShort } from './cut-short.ts';
import { inWords } from './phrases.ts';

export type IntegrityParams = {
  invariant: string;
};

const params = z.strictObject({ invariant: z.string().meta({ description: 'the invariant’s name in the stack' }) });

/** An invariant over the stores' contents, counted over all rows after the drain. */
export const integrity: Check<IntegrityParams> = {
  kind: 'integrity',
  summary: 'An invariant of the stack holds over all rows when the load has drained.',
  params: zodSchema<IntegrityParams>(params),
  evaluate(view, { invariant }) {
    const audit = view.of('audit.invariant').findLast(({ name }) => name === invariant);
    const failed = view.of('audit.failed').findLast(({ what }) => what === `invariant ${invariant}`);
    const finding: Omit<Finding, 'verdict' | 'because'> = {
      check: 'integrity',
      scope: invariant,
      basis: 'trials',
      claim: `${invariant} holds after the run`,
      measured: { value: audit?.holds === true ? 1 : 0, unit: 'holds' },
      threshold: { value: 1, unit: 'holds' },
      sampleCount: audit === undefined ? 0 : 1,
      evidence: [audit?.seq, failed?.seq].filter((seq) => seq !== undefined),
      advisory: false,
    };
    if (audit === undefined) {
      const why = failed?.message ?? 'the run ended before its audit';
      return [{ ...finding, verdict: 'unknown', because: `${invariant} was not looked at: ${why}.` }];
    }
    if (audit.because !== undefined) {
      return [{ ...finding, verdict: 'unknown', because: `${invariant} could not be settled: ${audit.because}.` }];
    }
    const seen = inWords(audit.values.map(({ store, value }) => `${value} in ${store}`));
    if (!audit.holds) {
      const asked = audit.expect === 'equal' ? 'these should be equal' : 'each should be 0';
      return [{ ...finding, verdict: 'fail', because: `${invariant} is broken: ${seen}; ${asked}.` }];
    }
    const cut = cutShort(view);
    if (cut !== undefined) {
      const because = `${invariant} held (${seen}), but the run was cut short (${cut.why}), so it is unknown.`;
      return [{ ...finding, verdict: 'unknown', because }];
    }
    const because = `${invariant} held over all rows after the drain: ${seen}. It is a census of this run, one trial.`;
    return [{ ...finding, verdict: 'pass', because }];
  },
};
