import { z } from 'zod';
import { formatCount } from '../core/units.ts';
import { zodSchema } from '../core/zod-schema.ts';
import type { Check, Finding, Verdict } from '../spi/check.ts';
import type { JournalEvent, JournalView } from '../spi/journal.ts';
import { cutShort } from './cut-short.ts';
import { inWords } from './phrases.ts';

export type IsolationParams = {
  leaks: number;
};

type MarkerEvent = Extract<JournalEvent, { type: 'audit.marker' }>;
const params = z.strictObject({
  leaks: z.int().min(0).default(0).meta({ description: 'most rows that may lie on the wrong side' }),
});

/** Shadow rows where real data lives, and real rows where shadow data lives, found by the marker in the data itself. */
export const isolation: Check<IsolationParams> = {
  kind: 'isolation',
  summary: 'Shadow traffic leaves no row among real data, and real traffic none among shadow data.',
  params: zodSchema<IsolationParams>(params),
  evaluate: (view, { leaks }) => {
    const stores = [...new Set(view.of('audit.marker').map(({ store }) => store))];
    const failed = view.of('audit.failed').filter(({ what }) => what.startsWith('marker in '));
    const findings = stores.map((store) => judgeStore(view, store, leaks));
    const unseen = failed.map(({ what, message, seq }): Finding => {
      const store = what.slice('marker in '.length);
      return {
        ...blank(store, leaks),
        verdict: 'unknown',
        because: `${store} was not looked at: ${message}.`,
        evidence: [seq],
      };
    });
    if (findings.length + unseen.length > 0) return [...findings, ...unseen];
    const because = 'No store was looked at for leaks: no evidence.';
    return [{ ...blank('stores', leaks), verdict: 'unknown', because }];
  },
};

function judgeStore(view: JournalView, store: string, leaks: number): Finding {
  const audits = view.of('audit.marker').filter((event) => event.store === store);
  const last = audits.at(-1)!;
  const worst = audits.reduce((most, event) => (rowsOf(event) > rowsOf(most) ? event : most), last);
  const found = rowsOf(worst);
  const { verdict, because } = settle(view, store, last, worst, leaks);
  return {
    ...blank(store, leaks),
    verdict,
    measured: { value: found, unit: 'rows' },
    sampleCount: last.shadowSeen,
    because,
    evidence: audits.map(({ seq }) => seq),
  };
}

function settle(
  view: JournalView,
  store: string,
  last: MarkerEvent,
  worst: MarkerEvent,
  leaks: number,
): { verdict: Verdict; because: string } {
  if (rowsOf(worst) > leaks) return { verdict: 'fail', because: leakSentence(store, worst) };
  if (last.shadowSeen === 0) {
    const because = `Nothing leaked in ${store}, but no shadow row was seen to arrive either: no evidence.`;
    return { verdict: 'unknown', because };
  }
  const cut = cutShort(view);
  if (cut !== undefined) {
    return { verdict: 'unknown', because: `Nothing leaked in ${store} until the run was cut short (${cut.why}).` };
  }
  const shadow = view.timeline.plan.load.filter((scenario) => scenario.shadow).map(({ name }) => name);
  const seen = `${formatCount(last.shadowSeen)} acknowledged shadow writes of ${inWords(shadow)} were found where they belong`;
  const because = `${rowsOf(worst) === 0 ? 'No row' : `${formatCount(rowsOf(worst))} rows`} of ${store} on the wrong side, looked for by the run’s marker in the data; ${seen}. It is a census of this run.`;
  return { verdict: 'pass', because };
}

function leakSentence(store: string, { realLeaks, shadowLeaks, realRows, shadowRows }: MarkerEvent): string {
  const parts = [
    realLeaks > 0
      ? `${formatCount(realLeaks)} shadow rows lie among the real ones (${inWords(realRows.slice(0, 3))})`
      : '',
    shadowLeaks > 0
      ? `${formatCount(shadowLeaks)} real rows lie among the shadow ones (${inWords(shadowRows.slice(0, 3))})`
      : '',
  ].filter(Boolean);
  return `Leaked in ${store}: ${parts.join('; ')}.`;
}

function rowsOf({ realLeaks, shadowLeaks }: MarkerEvent): number {
  return realLeaks + shadowLeaks;
}

function blank(store: string, leaks: number): Omit<Finding, 'verdict' | 'because'> {
  return {
    check: 'isolation',
    scope: store,
    basis: 'trials',
    claim: `at most ${formatCount(leaks)} rows on the wrong side`,
    measured: { value: 0, unit: 'rows' },
    threshold: { value: leaks, unit: 'rows' },
    sampleCount: 0,
    evidence: [],
    advisory: false,
  };
}
