import { Histogram } from '../harness/core/histogram.ts';
import { formatCount } from '../harness/core/units.ts';
import type { Finding, Verdict } from '../harness/spi/check.ts';
import type { FaultRecord, JournalView, SecondRow } from '../harness/spi/journal.ts';
import type { Report, ReportFault, ReportTotals } from '../harness/spi/reporter.ts';
import { targetText } from './target-text.ts';
import { trafficOf } from './traffic.ts';

/** What judging a run yields (`judgeRun`); reporters judge nothing themselves. */
export interface Judged {
  view: JournalView;
  findings: Finding[];
  verdict: Verdict;
  outcome: Report['outcome'];
  exitCode: number;
  leftovers: string[];
  error: Report['error'];
  recoveries: { fault: string; recoveredMs: number | undefined }[];
}

/** The versioned report of a judged run. Pure: the same journal gives the same report. */
export function buildReport(judged: Judged): Report {
  const { view, findings, verdict } = judged;
  const { timeline } = view;
  const totals = totalsOf(view);
  return {
    version: 1,
    runId: view.run.runId,
    verdict,
    exitCode: judged.exitCode,
    outcome: judged.outcome,
    summary: summaryOf(judged),
    plan: {
      name: timeline.plan.name,
      hypothesis: timeline.plan.hypothesis,
      file: timeline.plan.file,
      text: view.run.planText,
      digest: timeline.digest,
    },
    seed: timeline.seed,
    runtime: timeline.runtime,
    startedAt: new Date(view.run.atMs).toISOString(),
    endedAt: new Date(view.events.at(-1)!.atMs).toISOString(),
    versions: view.run.versions,
    machine: view.run.machine,
    findings,
    notes: notesOf(judged),
    totals,
    traffic: trafficOf(view, totals),
    faults: view.faults.map((fault) => reportFault(judged, fault)),
    leftovers: judged.leftovers,
    error: judged.error,
  };
}

/** One or two sentences: how many claims held, and the first that decided otherwise. */
function summaryOf({ findings, verdict, leftovers, error }: Judged): string {
  const counted = findings.filter(({ advisory }) => !advisory);
  const of = (wanted: Verdict): Finding[] => counted.filter((finding) => finding.verdict === wanted);
  const left = leftovers.length === 0 ? '' : ` ${formatCount(leftovers.length)} things were left unhealed.`;
  if (error !== undefined) {
    const open = `${formatCount(of('unknown').length)} of ${formatCount(counted.length)} claims could not be settled.`;
    return `The harness failed (${error.code}): ${error.message.split('\n')[0]!}. ${open}${left}`;
  }
  if (verdict === 'pass') return `All ${formatCount(counted.length)} claims held in this run.${left}`;
  if (counted.length === 0) return `Nothing was judged.${left}`;
  const parts = [
    [of('fail').length, 'failed'],
    [of('unknown').length, 'could not be settled'],
    [of('pass').length, 'held'],
  ] as const;
  const told = parts.filter(([count]) => count > 0).map(([count, word]) => `${formatCount(count)} ${word}`);
  const first = of(verdict)[0]!;
  return `Of ${formatCount(counted.length)} claims ${told.join(', ')}. ${first.check} of ${first.scope}: ${first.because}${left}`;
}

function notesOf({ view, outcome }: Judged): string[] {
  const omitted = view.of('load.ended').reduce((sum, { summary }) => sum + summary.failuresOmitted, 0);
  const exits = view.of('node.exited').filter(({ expected }) => !expected);
  const notes = [
    ...view.timeline.notes,
    ...view.of('stack.up').flatMap(({ notes: fromStack }) => fromStack),
    'Only a journey’s own latency, from its scheduled start, is free of coordinated omission: a later step counts as intended at the answer before it plus think time.',
    ...oneBoxNote(view),
    ...(view.run.injectFaults ? [] : ['No fault was injected (--no-faults): this is the control arm.']),
    ...exits.map(({ node, why }) => `${node} ended although nobody asked it to: ${why}.`),
    ...(omitted > 0 ? [`${formatCount(omitted)} failed steps are counted but not kept in failures.ndjson.`] : []),
    ...view.of('log').flatMap(({ level, message }) => (level === 'info' ? [] : [`${level}: ${message}`])),
    ...(view.closed === undefined ? ['The journal ends in the middle of the run.'] : []),
    ...(outcome === 'aborted' ? ['The guard ended the run before its plan did.'] : []),
  ];
  return [...new Set(notes)];
}

function oneBoxNote(view: JournalView): string[] {
  if (view.timeline.runtime === 'existing') return [];
  const samples = view.of('sample');
  const mean =
    samples.length === 0 ? undefined : samples.reduce((sum, { tool }) => sum + tool.cpuShare, 0) / samples.length;
  const used = mean === undefined ? '' : ` The tool itself used ${Number((mean * 100).toFixed(1))} % of a core.`;
  return [`Generator, harness and the system under test shared one machine.${used}`];
}

function totalsOf(view: JournalView): ReportTotals[] {
  return view.timeline.scenarios.flatMap(({ name }) => {
    const mix = view.timeline.plan.load.find((scenario) => scenario.name === name);
    return (mix?.mix ?? []).flatMap(({ journey }) => {
      const steps = mix?.journeys[journey]?.map((step) => step.name) ?? [];
      const regions = mix?.regions?.map(({ name: region }) => ({ region })) ?? [];
      const filters = [{}, ...regions, ...steps.map((step) => ({ step }))];
      return filters.flatMap((filter) => {
        const rows = view.seconds({ scenario: name, journey, ...filter });
        return rows.length === 0 ? [] : [totalOf(name, journey, filter, rows)];
      });
    });
  });
}

function totalOf(
  scenario: string,
  journey: string,
  filter: { step?: string; region?: string },
  rows: readonly SecondRow[],
): ReportTotals {
  const sum = (pick: (row: SecondRow) => number): number => rows.reduce((total, row) => total + pick(row), 0);
  const bad: Record<string, number> = {};
  for (const row of rows) {
    for (const [name, count] of Object.entries(row.bad)) bad[name] = (bad[name] ?? 0) + count;
  }
  return {
    scenario,
    journey,
    ...filter,
    scheduled: sum((row) => row.scheduled),
    sent: sum((row) => row.sent),
    good: sum((row) => row.good),
    bad,
    abandoned: sum((row) => row.abandoned),
    left: sum((row) => row.left ?? 0),
    fromIntendedMs: percentiles(rows, 'fromIntended'),
    serviceMs: percentiles(rows, 'service'),
  };
}

function percentiles(rows: readonly SecondRow[], which: 'fromIntended' | 'service'): ReportTotals['serviceMs'] {
  const merged = new Histogram();
  for (const row of rows) row[which].addTo(merged);
  const at = (q: number): number => merged.quantile(q) / 1000;
  return { p50: at(0.5), p90: at(0.9), p99: at(0.99), p999: at(0.999), max: merged.max / 1000 };
}

function reportFault({ view, recoveries }: Judged, fault: FaultRecord): ReportFault {
  const planned = view.timeline.faults.find(({ name }) => name === fault.name);
  const recovered = recoveries.find((recovery) => recovery.fault === fault.name)?.recoveredMs;
  return {
    name: fault.name,
    kind: fault.kind,
    target: planned === undefined ? fault.targets.join(', ') : targetText(planned.target),
    commandedMs: fault.commandedMs,
    bittenMs: fault.bittenMs,
    revertingMs: fault.revertingMs,
    healedMs: fault.healedMs,
    recoveredMs: recovered,
    bite: fault.skipped ?? fault.notBitten ?? proofText(fault.biteProofs),
    heal: fault.notHealed ?? proofText(fault.healProofs),
  };
}

function proofText(proofs: FaultRecord['biteProofs']): string {
  const more = proofs.length > 1 ? ` (and ${formatCount(proofs.length - 1)} more proofs)` : '';
  return proofs.length === 0 ? '' : `${proofs[0]!.because}${more}`;
}
