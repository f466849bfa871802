import { HarnessError } from '../core/errors.ts';
import type { JournalEvent } from '../spi/journal.ts';

/**
 * A journal's lines as events. A last line that was cut (the tool was killed while writing) is left out; anything else
 * that is not an event is JOURNAL_BROKEN with its line number.
 */
export function parseLines(journal: string | Iterable<string>): JournalEvent[] {
  const events: JournalEvent[] = [];
  let number = 0;
  /** A line that is no JSON, or empty: fine if nothing follows it. */
  let doubtful: HarnessError | undefined;
  for (const line of typeof journal === 'string' ? journal.split('\n') : journal) {
    number += 1;
    if (doubtful !== undefined && line.trim() !== '') throw doubtful;
    const value = jsonOf(line);
    if (value === undefined) {
      doubtful ??= broken(number, 'not JSON');
      continue;
    }
    if (!isEvent(value)) throw broken(number, 'not an event (a number seq, a time atMs and a type)');
    const before = events.at(-1);
    if (before !== undefined && value.seq <= before.seq) {
      throw broken(number, `its number ${value.seq} does not follow ${before.seq}`);
    }
    events.push(value);
  }
  return events;
}

export function broken(line: number, why: string): HarnessError {
  return new HarnessError(
    'JOURNAL_BROKEN',
    `line ${line} of the journal: ${why}`,
    'A journal is written once and only appended to; take an unchanged copy of it.',
  );
}

function jsonOf(line: string): unknown {
  try {
    return JSON.parse(line);
  } catch {
    // The caller knows whether it may be: a line that is cut off, or a journal that was changed.
    return undefined;
  }
}

function isEvent(value: unknown): value is JournalEvent {
  if (typeof value !== 'object' || value === null) return false;
  const event = value as Record<string, unknown>;
  if (!Number.isInteger(event.seq) || !Number.isFinite(event.atMs) || typeof event.type !== 'string') return false;
  return event.type !== 'load.window' || (typeof event.row === 'object' && event.row !== null);
}
