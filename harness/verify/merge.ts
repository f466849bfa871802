import { HarnessError } from '../core/errors.ts';
import type { JournalEvent } from '../spi/journal.ts';
import { parseLines } from './parse-lines.ts';
import { openedBy } from './view.ts';

type Opened = Extract<JournalEvent, { type: 'run.opened' }>;

/** Of the other segments only what they sent counts: phases, stack and checks of stores are told by the first one. */
const OF_EVERY_SEGMENT: ReadonlySet<JournalEvent['type']> = new Set<JournalEvent['type']>([
  'load.window',
  'load.health',
  'load.ended',
  'load.failed',
  'guard.tripped',
  'steady-state',
  'canary',
  'interrupted',
  'error',
  'leftover',
  'log',
]);
/** Generators that began further apart did not offer one load. */
const ORIGINS_APART_MAX_MS = 50;

/**
 * Journals of the segments of one run as one journal: their windows add up to those of a single generator that sent it
 * all, so the same checks judge them. Throws JOURNALS_DO_NOT_MERGE with everything that is wrong: not segments, not of
 * the same plan and seed, one missing or twice, or begun at different moments.
 */
export function mergeJournals(journals: readonly { name: string; lines: Iterable<string> }[]): JournalEvent[] {
  const parsed = journals.map(({ name, lines }) => {
    const events = parseLines(lines);
    return { name, events, opened: openedBy(events) };
  });
  const problems = problemsOf(parsed);
  if (problems.length > 0) {
    throw new HarnessError(
      'JOURNALS_DO_NOT_MERGE',
      problems.join('; '),
      'Give every segment of one plan and seed once, all run with the same --start-at.',
    );
  }
  const ordered = parsed.toSorted((a, b) => a.opened.segment!.index - b.opened.segment!.index);
  const { segment: _, ...whole } = ordered[0]!.opened;
  const merged: JournalEvent[] = [{ ...whole, mergedFrom: ordered.map(({ opened }) => opened.runId) }];
  const rest = ordered.slice(1).flatMap(({ events }) => events.filter(({ type }) => OF_EVERY_SEGMENT.has(type)));
  // The first one's closing event has to stay the last.
  const [closing, body] = split(ordered[0]!.events.slice(1));
  const every = [...body, ...rest].toSorted((a, b) => a.atMs - b.atMs);
  return [...merged, ...every, ...closing].map((event, seq) => ({ ...event, seq }));
}

function split(events: readonly JournalEvent[]): [closing: JournalEvent[], rest: JournalEvent[]] {
  return [events.filter(({ type }) => type === 'run.closed'), events.filter(({ type }) => type !== 'run.closed')];
}

function problemsOf(journals: readonly { name: string; events: readonly JournalEvent[]; opened: Opened }[]): string[] {
  const first = journals[0]!;
  const problems: string[] = [];
  for (const { name, opened, events } of journals) {
    if (opened.segment === undefined) problems.push(`${name} is not a segment (run it with --segment)`);
    if (opened.timeline.digest !== first.opened.timeline.digest) {
      problems.push(`${name} is of another timeline than ${first.name} (plan, seed or capabilities differ)`);
    }
    if (opened.segment?.of !== first.opened.segment?.of) {
      problems.push(
        `${name} is one of ${opened.segment?.of ?? 1} segments, ${first.name} one of ${first.opened.segment?.of ?? 1}`,
      );
    }
    if (!events.some(({ type }) => type === 'run.closed')) problems.push(`${name} ends in the middle`);
  }
  return [...problems, ...countProblems(journals), ...originProblems(journals)];
}

function countProblems(journals: readonly { name: string; opened: Opened }[]): string[] {
  const of = journals[0]!.opened.segment?.of ?? 0;
  const given = journals.map(({ opened }) => opened.segment?.index);
  return Array.from({ length: of }, (_, index) => index + 1).flatMap((index) => {
    const times = given.filter((one) => one === index).length;
    if (times === 1) return [];
    return [times === 0 ? `segment ${index} of ${of} is missing` : `segment ${index} of ${of} is there ${times} times`];
  });
}

function originProblems(journals: readonly { name: string; events: readonly JournalEvent[] }[]): string[] {
  const origins = journals.flatMap(({ name, events }) => {
    const origin = events.find((event) => event.type === 'load.origin');
    return origin === undefined ? [] : [{ name, originMs: origin.originMs }];
  });
  const earliest = Math.min(...origins.map(({ originMs }) => originMs));
  return origins
    .filter(({ originMs }) => originMs - earliest > ORIGINS_APART_MAX_MS)
    .map(({ name, originMs }) => `${name} began ${Math.round(originMs - earliest)} ms after the first one`);
}
