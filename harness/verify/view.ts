import type { JournalEvent, JournalView, SecondRow } from '../spi/journal.ts';
import { faultRecords } from './fault-records.ts';
import { broken, parseLines } from './parse-lines.ts';
import { secondRows } from './second-rows.ts';

/** The event that opens a journal; throws JOURNAL_BROKEN where there is none that this Seawall reads. */
export function openedBy(events: readonly JournalEvent[]): Extract<JournalEvent, { type: 'run.opened' }> {
  const run = events[0];
  if (run === undefined) throw broken(1, 'it is empty');
  if (run.type !== 'run.opened') throw broken(1, `it opens with ${run.type}, not run.opened`);
  if (run.version !== 1) throw broken(1, `version ${String(run.version)} is not one that this Seawall reads (1)`);
  return run;
}

/** Parses a journal once; throws HarnessError JOURNAL_BROKEN with the line number. A cut last line is left out. */
export function parseJournal(journal: string | Iterable<string>): JournalView {
  const events = parseLines(journal);
  const run = openedBy(events);
  const byType = new Map<string, JournalEvent[]>();
  for (const event of events) {
    const same = byType.get(event.type);
    if (same === undefined) byType.set(event.type, [event]);
    else same.push(event);
  }
  const of: JournalView['of'] = (type) =>
    (byType.get(type) ?? []) as unknown as readonly Extract<JournalEvent, { type: typeof type }>[];
  const known = new Map<string, SecondRow[]>();
  return {
    events,
    run,
    closed: of('run.closed').at(-1),
    timeline: run.timeline,
    faults: faultRecords(run.timeline, events),
    of,
    seconds: (filter) => {
      const key = JSON.stringify([filter.scenario, filter.journey, filter.step, filter.region]);
      const rows = known.get(key) ?? secondRows(of('load.window'), filter);
      known.set(key, rows);
      return rows;
    },
  };
}
