import { z } from 'zod';
import { zodSchema } from '../core/zod-schema.ts';
import type { Check, Finding, Verdict } from '../spi/check.ts';
import type { FaultRecord, JournalView } from '../spi/journal.ts';
import { seconds } from './phrases.ts';

/**
 * Always judged: whether the run did what its plan said. Fail: a guard tripped. Unknown: a fault that did not bite or
 * was not proved healed, no steady state, a bad canary, load or audit or harness that failed.
 */
export const injection: Check<Record<string, never>> = {
  kind: 'injection',
  summary: 'Every fault bit and was proved healed, no guard tripped, and the run went to its end.',
  params: zodSchema<Record<string, never>>(z.strictObject({})),
  evaluate: (view) => [...guards(view), ...troubles(view), ...ends(view), ...faults(view)],
};

function guards(view: JournalView): Finding[] {
  return view.of('guard.tripped').map(({ seq, rule, of, because, bad, total }) => ({
    ...finding('guard', of, 'fail', `The guard “${rule}” tripped and the run was healed at once: ${because}.`, [seq]),
    basis: 'requests',
    claim: `the guard “${rule}” does not trip`,
    measured: { value: bad, unit: 'journeys' },
    sampleCount: total,
  }));
}

function troubles(view: JournalView): Finding[] {
  return [
    ...view
      .of('steady-state')
      .filter(({ met }) => !met)
      .map(({ seq, scenario, because }) =>
        finding(
          'steady-state',
          scenario,
          'unknown',
          `The system was not well before the first fault, so nothing was injected: ${because}.`,
          [seq],
        ),
      ),
    ...view.of('canary').flatMap(({ seq, scenario, results }) =>
      results
        // The way from a region has a finding of its own.
        .filter(({ good, region }) => !good && region === undefined)
        .map(({ journey, because }) =>
          finding(
            'canary',
            `${scenario}/${journey}`,
            'unknown',
            `The canary of ${journey} was bad before any load: ${because}.`,
            [seq],
          ),
        ),
    ),
    ...view
      .of('load.failed')
      .map(({ seq, scenario, message }) =>
        finding('load', scenario, 'unknown', `The load of ${scenario} failed: ${message}.`, [seq]),
      ),
    ...view
      .of('load.ended')
      .flatMap(({ seq, scenario, summary: { dryAtMs } }) =>
        dryAtMs === undefined
          ? []
          : [
              finding(
                'feed',
                scenario,
                'unknown',
                `A feed of ${scenario} whose rows are used once had no more at ${seconds(dryAtMs)}, and the load ended there: give it more rows, or \`order: circular\`.`,
                [seq],
              ),
            ],
      ),
    ...segments(view),
    ...view
      .of('audit.failed')
      .map(({ seq, what, message }) =>
        finding('audit', what, 'unknown', `The audit of ${what} failed: ${message}.`, [seq]),
      ),
    ...view
      .of('error')
      .map(({ seq, code, message }) =>
        finding('harness', code, 'unknown', `The harness failed (${code}): ${message}.`, [seq]),
      ),
  ];
}

/** A part of a load proves nothing about the whole. */
function segments(view: JournalView): Finding[] {
  const { segment, seq } = view.run;
  if (segment === undefined) return [];
  const because = `This is segment ${segment.index} of ${segment.of}, which sent its part of the load only: judge all of them together by \`seawall report RUN RUN … --out FOLDER\`.`;
  return [finding('segment', `${segment.index}/${segment.of}`, 'unknown', because, [seq])];
}

/** A run that ended without saying why: killed, or interrupted. */
function ends(view: JournalView): Finding[] {
  const interrupted = view
    .of('interrupted')
    .map(({ seq, by }) =>
      finding('run', 'interrupted', 'unknown', `The run was interrupted by ${by} and healed.`, [seq]),
    );
  if (view.closed !== undefined) return interrupted;
  const last = view.events.at(-1)!;
  return [
    ...interrupted,
    finding('run', 'end', 'unknown', 'The journal ends in the middle of the run: the tool was killed.', [last.seq]),
  ];
}

function faults(view: JournalView): Finding[] {
  if (!view.run.injectFaults) return [];
  return view.faults.map((fault) => {
    const [verdict, because] = settle(fault);
    return {
      ...finding('injection', fault.name, verdict, because, fault.evidence),
      advisory: verdict === 'pass',
      measured: { value: fault.biteProofs.filter(({ holds }) => holds).length, unit: 'proofs' },
      sampleCount: fault.commandedMs === undefined ? 0 : 1,
    };
  });
}

function settle(fault: FaultRecord): [Verdict, string] {
  const { name, commandedMs, bittenMs, healedMs } = fault;
  if (fault.skipped !== undefined) return ['unknown', `${name} was not injected: ${fault.skipped}.`];
  if (commandedMs === undefined) return ['unknown', `${name} was not injected: the run did not come to it.`];
  if (bittenMs === undefined) {
    return ['unknown', `${name} never bit: ${fault.notBitten ?? 'nothing proved that it did'}.`];
  }
  const bite = fault.biteProofs[0]?.because;
  const bit = `${name} was commanded at ${seconds(commandedMs)} and bit ${seconds(bittenMs - commandedMs)} later${bite === undefined ? '' : ` (${bite})`}`;
  if (healedMs === undefined) {
    return ['unknown', `${bit}, but was not proved healed: ${fault.notHealed ?? 'nothing proved it'}.`];
  }
  const heal = fault.healProofs[0]?.because;
  return ['pass', `${bit}; it was proved healed at ${seconds(healedMs)}${heal === undefined ? '' : ` (${heal})`}.`];
}

function finding(check: string, scope: string, verdict: Verdict, because: string, evidence: number[]): Finding {
  return {
    check,
    scope,
    verdict,
    basis: 'trials',
    claim: 'the run did what its plan says',
    measured: { value: 0, unit: 'proofs' },
    threshold: undefined,
    sampleCount: 0,
    because: because.replace(/\.\.$/, '.'),
    evidence,
    advisory: false,
  };
}
