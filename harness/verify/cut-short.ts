import type { JournalView } from '../spi/journal.ts';

/** Why and when a run ended before its plan did. */
export interface CutShort {
  why: string;
  /** From t = 0; undefined when it never came to that. */
  atMs: number | undefined;
  evidence: number[];
}

/** The first thing that ended the run early, or undefined when its load ran to the end. */
export function cutShort(view: JournalView): CutShort | undefined {
  const ends = [
    ...view.of('guard.tripped').map((event) => ({ event, why: `the guard “${event.rule}” tripped` })),
    ...view.of('interrupted').map((event) => ({ event, why: `the run was interrupted by ${event.by}` })),
    ...view.of('load.failed').map((event) => ({ event, why: `the load of ${event.scenario} failed` })),
    ...view.of('error').map((event) => ({ event, why: `the harness failed (${event.code})` })),
    ...view
      .of('steady-state')
      .filter((event) => !event.met)
      .map((event) => ({ event, why: `the steady state of ${event.scenario} was not met` })),
  ]
    .filter(({ event }) => event.type === 'load.failed' || event.tMs === undefined || event.tMs < view.timeline.loadMs)
    .toSorted((a, b) => a.event.seq - b.event.seq);
  const first = ends[0];
  if (first !== undefined) return { why: first.why, atMs: first.event.tMs, evidence: [first.event.seq] };
  if (view.closed !== undefined && view.of('load.ended').length > 0) return undefined;
  const last = view.events.at(-1)!;
  const why = view.closed === undefined ? 'the journal ends in the middle of the run' : 'no load was sent';
  return { why, atMs: last.tMs, evidence: [last.seq] };
}
