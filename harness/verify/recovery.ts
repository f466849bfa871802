import { z } from 'zod';
import { upperBound } from '../core/binomial.ts';
import { formatCount } from '../core/units.ts';
import { durationMs, zodSchema } from '../core/zod-schema.ts';
import type { Check, Finding, Verdict } from '../spi/check.ts';
import type { FaultRecord, JournalView } from '../spi/journal.ts';
import { cutShort } from './cut-short.ts';
import { inWords, percent, percentUp, seconds } from './phrases.ts';
import { RECOVERED_FOR_MS, type Recovery, recoveryOf } from './recovered.ts';

export type RecoveryParams = {
  of: string;
  rto: number;
  rpo?: number;
};

const CONFIDENCE = 0.95;
const params = z.strictObject({
  of: z.string().meta({ description: 'the scenario' }),
  rto: durationMs().meta({ description: 'longest time from the commanded injection to the first 5 good seconds' }),
  rpo: z.int().min(0).exactOptional().meta({ description: 'most acknowledged writes that may be lost' }),
});

/** How soon users were served again after each fault and after each heal, and whether an acknowledged write was lost. */
export const recovery: Check<RecoveryParams> = {
  kind: 'recovery',
  summary: 'After each fault, and after its heal, users are served again within `rto`; at most `rpo` acks are lost.',
  params: zodSchema<RecoveryParams>(params),
  evaluate: (view, asked) => [...judgeRtos(view, asked), ...judgeRpo(view, asked)],
};

function judgeRtos(view: JournalView, asked: RecoveryParams): Finding[] {
  if (!view.run.injectFaults) {
    const because = 'No fault was injected (--no-faults): there was nothing to recover from.';
    return [{ ...rtoFinding(asked, asked.of, 'injection', 0), verdict: 'unknown', because, advisory: true }];
  }
  if (view.faults.length === 0) {
    const because = 'The plan has no fault: there was nothing to recover from.';
    return [{ ...rtoFinding(asked, asked.of, 'injection', 0), verdict: 'unknown', because }];
  }
  return view.faults.flatMap((fault) => {
    const { rto, failback } = recoveryOf(view, asked.of, fault);
    return [judgeRto(view, asked, fault, rto), ...judgeFailback(view, asked, fault, failback)];
  });
}

function judgeRto(
  view: JournalView,
  asked: RecoveryParams,
  fault: FaultRecord,
  recovered: Recovery | undefined,
): Finding {
  const scope = `${asked.of}, ${fault.name}`;
  const finding = rtoFinding(asked, scope, 'injection', elapsed(fault.commandedMs, recovered), fault.evidence);
  if (recovered === undefined || fault.commandedMs === undefined) {
    const why = fault.skipped ?? 'the run did not come to it';
    return { ...finding, verdict: 'unknown', because: `${fault.name} was never injected: ${why}.` };
  }
  if (fault.bittenMs === undefined) {
    const why = fault.notBitten ?? 'nothing proved that it did';
    return {
      ...finding,
      verdict: 'unknown',
      because: `${fault.name} never bit (${why}), so there was nothing to recover from.`,
    };
  }
  const verdict = rtoVerdict(asked.rto, fault.commandedMs, recovered);
  const counted = `after ${fault.name}`;
  const beside = bitePart(fault, recovered);
  return { ...finding, verdict, because: rtoSentence(view, asked, counted, fault.commandedMs, recovered, beside) };
}

function judgeFailback(
  view: JournalView,
  asked: RecoveryParams,
  fault: FaultRecord,
  recovered: Recovery | undefined,
): Finding[] {
  if (fault.bittenMs === undefined) return [];
  const scope = `${asked.of}, ${fault.name} failback`;
  const finding = rtoFinding(asked, scope, 'heal', elapsed(fault.healedMs, recovered), fault.evidence);
  if (recovered === undefined || fault.healedMs === undefined) {
    const because = `${fault.name} was never proved healed${fault.notHealed === undefined ? '' : `: ${fault.notHealed}`}.`;
    return [{ ...finding, verdict: 'unknown', because }];
  }
  const verdict = rtoVerdict(asked.rto, fault.healedMs, recovered);
  const because = rtoSentence(view, asked, `after the heal of ${fault.name} (failback)`, fault.healedMs, recovered, '');
  return [{ ...finding, verdict, because }];
}

/** A fail needs to have seen every window that could have been in time. */
function rtoVerdict(rtoMs: number, fromMs: number, recovered: Recovery): Verdict {
  if (recovered.atMs !== undefined) return recovered.atMs - fromMs <= rtoMs ? 'pass' : 'fail';
  return recovered.seenUntilMs >= fromMs + rtoMs + RECOVERED_FOR_MS ? 'fail' : 'unknown';
}

function rtoSentence(
  view: JournalView,
  asked: RecoveryParams,
  after: string,
  fromMs: number,
  recovered: Recovery,
  beside: string,
): string {
  const share = percent(recovered.target);
  const start = `${after[0]!.toUpperCase()}${after.slice(1)}, ${asked.of}`;
  if (recovered.atMs !== undefined) {
    const asks = `(asked: within ${seconds(asked.rto)}). One trial: the next may take longer.`;
    if (recovered.atMs <= fromMs) return `${start} had at least ${share} good from the first 5 s on: no outage ${asks}`;
    return `${start} was served again after ${seconds(recovered.atMs - fromMs)}${beside}: from then on 5 s had at least ${share} good ${asks}`;
  }
  const watched = seconds(Math.max(0, recovered.seenUntilMs - fromMs));
  const missed = `${start} had no 5 s with at least ${share} good in the ${watched} that were watched`;
  if (rtoVerdict(asked.rto, fromMs, recovered) === 'fail') return `${missed}; ${seconds(asked.rto)} were asked.`;
  const cut = cutShort(view);
  const why = cut === undefined ? 'the load ended too early to tell' : `the run was cut short: ${cut.why}`;
  return `${missed}, and ${why}; a run with ${seconds(asked.rto + RECOVERED_FOR_MS)} of load after that moment would settle it.`;
}

function bitePart(fault: FaultRecord, recovered: Recovery): string {
  if (recovered.atMs === undefined || fault.bittenMs === undefined) return '';
  return ` (${seconds(Math.max(0, recovered.atMs - fault.bittenMs))} after the proved bite)`;
}

function elapsed(fromMs: number | undefined, recovered: Recovery | undefined): number {
  if (fromMs === undefined || recovered === undefined) return 0;
  return (recovered.atMs ?? recovered.seenUntilMs) - fromMs;
}

function rtoFinding(
  asked: RecoveryParams,
  scope: string,
  from: 'injection' | 'heal',
  measuredMs: number,
  evidence: number[] = [],
): Omit<Finding, 'verdict' | 'because'> {
  return {
    check: 'recovery',
    scope,
    basis: 'trials',
    claim: `served again within ${seconds(asked.rto)} of the ${from === 'heal' ? 'proved heal' : 'commanded injection'}`,
    measured: { value: measuredMs, unit: 'ms' },
    threshold: { value: asked.rto, unit: 'ms' },
    sampleCount: measuredMs === 0 && evidence.length === 0 ? 0 : 1,
    evidence,
    advisory: false,
  };
}

function judgeRpo(view: JournalView, asked: RecoveryParams): Finding[] {
  if (asked.rpo === undefined) return [];
  const journeys = new Set(
    view.timeline.plan.load.find(({ name }) => name === asked.of)?.mix.map(({ journey }) => journey),
  );
  const audits = view.of('audit.acks').filter(({ journey }) => journeys.has(journey));
  const sum = (key: 'acked' | 'missing' | 'unknown' | 'unknownKept'): number =>
    audits.reduce((total, audit) => total + audit[key], 0);
  const [acked, missing] = [sum('acked'), sum('missing')];
  const failed = view
    .of('audit.failed')
    .filter(({ what }) => [...journeys].some((journey) => what === `acks of ${journey}`));
  const broken = [...audits.map(({ because }) => because), ...failed.map(({ message }) => message)].filter(
    (why) => why !== undefined,
  );
  const cut = cutShort(view);
  const settled =
    missing > asked.rpo ? 'fail' : broken.length > 0 || acked === 0 || cut !== undefined ? 'unknown' : 'pass';
  return [
    {
      check: 'recovery',
      scope: `${asked.of}, acknowledged writes`,
      verdict: settled,
      basis: 'trials',
      claim: `at most ${formatCount(asked.rpo)} acknowledged writes are lost`,
      measured: {
        value: missing,
        unit: 'writes',
        ...(acked === 0 ? {} : { high: upperBound(missing, acked, CONFIDENCE) * acked }),
      },
      threshold: { value: asked.rpo, unit: 'writes' },
      sampleCount: acked,
      because: rpoSentence(
        asked.rpo,
        audits,
        { acked, missing, unknown: sum('unknown'), kept: sum('unknownKept') },
        broken,
        cut?.why,
      ),
      evidence: [...audits, ...failed].map(({ seq }) => seq),
      advisory: false,
    },
  ];
}

function rpoSentence(
  rpo: number,
  audits: readonly { journey: string; missingKeys: string[] }[],
  counts: { acked: number; missing: number; unknown: number; kept: number },
  broken: string[],
  cut: string | undefined,
): string {
  const { acked, missing, unknown, kept } = counts;
  if (broken.length > 0) return `The acknowledged writes could not all be looked up: ${broken.join('; ')}.`;
  if (acked === 0) return 'No acknowledged write was compared with the stores: no evidence.';
  const of = inWords([...new Set(audits.map(({ journey }) => journey))]);
  const bound = `at 95 % the loss is below ${percentUp(upperBound(missing, acked, CONFIDENCE))} of writes like these`;
  const keys = audits.flatMap(({ missingKeys }) => missingKeys).slice(0, 5);
  const lost =
    missing === 0
      ? `All ${formatCount(acked)} acknowledged writes (${of}) were found in the stores: ${bound}.`
      : `${formatCount(missing)} of ${formatCount(acked)} acknowledged writes (${of}) are not in the stores (${formatCount(rpo)} asked at most), among them ${inWords(keys)}.`;
  const rest =
    unknown === 0
      ? ''
      : ` ${formatCount(unknown)} writes got no clear answer and count neither as lost nor as kept (${formatCount(kept)} of them are stored).`;
  return `${lost}${rest}${cut === undefined || missing > rpo ? '' : ` But the run was cut short (${cut}), so it is unknown.`}`;
}
