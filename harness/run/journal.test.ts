import { describe, expect, it } from 'vitest';
import { systemClock } from '../core/clock.ts';
import { HarnessError } from '../core/errors.ts';
import type { AppendFile } from './append-file.ts';
import { Journal } from './journal.ts';

function memory(): AppendFile & { lines: string[] } {
  const lines: string[] = [];
  return { lines, write: (data) => void lines.push(String(data)), sync: () => {}, close: () => {} };
}

describe('the journal', () => {
  it('numbers its events and counts their time from the load’s origin once it is known', () => {
    const file = memory();
    const journal = new Journal(file, { ...systemClock, now: () => 5_000 });
    journal.append({ type: 'phase.opened', phase: 'up' });
    journal.append({ type: 'load.origin', originMs: 7_000 });
    const events = file.lines.map((line) => JSON.parse(line) as Record<string, unknown>);
    expect(events[0]).toEqual({ seq: 1, atMs: 5_000, type: 'phase.opened', phase: 'up' });
    expect(events[1]).toMatchObject({ seq: 2, tMs: -2_000 });
  });

  it('never holds a secret', () => {
    const file = memory();
    const journal = new Journal(file, systemClock, ['pass"word']);
    journal.append({ type: 'log', level: 'info', message: 'postgres://u:pass"word@h' });
    expect(JSON.parse(file.lines[0]!)).toMatchObject({ message: 'postgres://u:***@h' });
  });

  it('tells its first failure once and goes on without writing', () => {
    const file = memory();
    const failures: string[] = [];
    const seen: number[] = [];
    file.write = () => {
      throw new HarnessError('DISK_FULL', 'no room', 'make some');
    };
    const journal = new Journal(file, systemClock);
    journal.onFailure((failure) => failures.push(failure.code));
    journal.subscribe((event) => seen.push(event.seq));
    journal.append({ type: 'phase.opened', phase: 'up' });
    journal.append({ type: 'phase.opened', phase: 'load' });
    expect(failures).toEqual(['DISK_FULL']);
    expect(seen).toEqual([1, 2]);
    expect(journal.failure?.code).toBe('DISK_FULL');
  });
});
