import type { Finding, Verdict } from '../spi/check.ts';
import type { JournalView } from '../spi/journal.ts';
import { evaluateAll } from './evaluate.ts';
import { recoveryOf } from './recovered.ts';
import { exitCode, mergeVerdicts, type Outcome } from './verdict.ts';
import { parseJournal } from './view.ts';

/** Everything that a report needs of the judging, so that reporters judge nothing themselves. */
export interface Judgement {
  view: JournalView;
  findings: Finding[];
  verdict: Verdict;
  outcome: Outcome;
  exitCode: number;
  leftovers: string[];
  error: { code: string; message: string; hint: string } | undefined;
  /** By fault: when the scenario that took longest was served again, in ms from t = 0; undefined: not seen. */
  recoveries: { fault: string; recoveredMs: number | undefined }[];
}

/**
 * Judges a run by its journal: what `run` says at its end and what `report` says years later. `leftovers` are what the
 * caller knows to be still there beyond what the journal tells. Throws only HarnessError JOURNAL_BROKEN.
 */
export function judgeRun(input: { journal: string | Iterable<string>; leftovers?: readonly string[] }): Judgement {
  const view = parseJournal(input.journal);
  const findings = evaluateAll(view);
  const verdict = mergeVerdicts(findings);
  const outcome = view.closed?.outcome ?? 'failed';
  const leftovers = [...new Set([...view.of('leftover').map(({ what }) => what), ...(input.leftovers ?? [])])];
  const failure = view.of('error')[0];
  return {
    view,
    findings,
    verdict,
    outcome,
    exitCode: exitCode({ verdict, outcome, leftovers, errorCode: failure?.code }),
    leftovers,
    error: failure === undefined ? undefined : { code: failure.code, message: failure.message, hint: failure.hint },
    recoveries: view.faults.map((fault) => ({ fault: fault.name, recoveredMs: lastRecovered(view, fault.name) })),
  };
}

function lastRecovered(view: JournalView, name: string): number | undefined {
  const fault = view.faults.find((candidate) => candidate.name === name);
  if (fault?.commandedMs === undefined) return undefined;
  const ends = view.timeline.scenarios.map((scenario) => recoveryOf(view, scenario.name, fault).rto?.atMs);
  return ends.includes(undefined) ? undefined : Math.max(...ends.filter((ms) => ms !== undefined));
}
