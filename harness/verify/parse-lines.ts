import { HarnessError } from '../core/errors.ts';
import type { JournalEvent } from '../spi/journal.ts';

/**
 * A journal's lines as events. A last line that was cut (the tool was killed while writing) is left out; anything else
 * that is not an event is JOURNAL_BROKEN with its line number.
 */
export function parseLines(journal: string | readonly string[]): JournalEvent[] {
  const lines = typeof journal === 'string' ? journal.split('\n') : [...journal];
  while (lines.length > 0 && lines.at(-1)!.trim() === '') lines.pop();
  const events: JournalEvent[] = [];
  lines.forEach((line, index) => {
    const event = parseLine(line, index + 1, index === lines.length - 1);
    if (event === undefined) return;
    const before = events.at(-1);
    if (before !== undefined && event.seq <= before.seq) {
      throw broken(index + 1, `its number ${event.seq} does not follow ${before.seq}`);
    }
    events.push(event);
  });
  return events;
}

export function broken(line: number, why: string): HarnessError {
  return new HarnessError(
    'JOURNAL_BROKEN',
    `line ${line} of the journal: ${why}`,
    'A journal is written once and only appended to; take an unchanged copy of it.',
  );
}

function parseLine(line: string, number: number, last: boolean): JournalEvent | undefined {
  let value: unknown;
  try {
    value = JSON.parse(line);
  } catch {
    if (last) return undefined;
    throw broken(number, 'not JSON');
  }
  if (isEvent(value)) return value;
  throw broken(number, 'not an event (a number seq, a time atMs and a type)');
}

function isEvent(value: unknown): value is JournalEvent {
  if (typeof value !== 'object' || value === null) return false;
  const event = value as Record<string, unknown>;
  if (!Number.isInteger(event.seq) || !Number.isFinite(event.atMs) || typeof event.type !== 'string') return false;
  return event.type !== 'load.window' || (typeof event.row === 'object' && event.row !== null);
}
