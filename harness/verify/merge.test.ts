import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { journalFixture } from '../../tests/support/journal-fixture.ts';
import type { JournalEvent } from '../spi/journal.ts';
import { judgeRun } from './judge.ts';
import { mergeJournals } from './merge.ts';

const RATE = 120;

/** A run's journal as events. */
function whole(): JournalEvent[] {
  const lines = journalFixture({
    seconds: 20,
    scenarios: [
      { name: 'sale', rates: { browse: RATE }, bad: (second) => (second === 7 ? { timeout: 9, status: 2 } : {}) },
    ],
    checks: [
      { check: 'availability', params: { of: 'sale', target: 0.99, confidence: 0.95, when: 'all' } },
      { check: 'latency', params: { of: 'sale', p99: 300, when: 'all' } },
    ],
  });
  return lines.flatMap((line) => (line.trim() === '' ? [] : [JSON.parse(line) as JournalEvent]));
}

/** The same run as `of` segments would have told it: each window's row in one of them, whole. */
function segmentsOf(events: readonly JournalEvent[], of: number, deal: (row: number) => number): JournalEvent[][] {
  return Array.from({ length: of }, (_, index) => {
    let row = 0;
    return events.flatMap((event): JournalEvent[] => {
      if (event.type === 'run.opened')
        return [{ ...event, runId: `${event.runId}-${index}`, segment: { index: index + 1, of } }];
      if (event.type !== 'load.window') return [event];
      return deal(row++) % of === index ? [event] : [];
    });
  });
}

const linesOf = (events: readonly JournalEvent[]): string[] => events.map((event) => JSON.stringify(event));
const journals = (parts: readonly JournalEvent[][]) =>
  parts.map((events, index) => ({ name: `part-${index}`, lines: linesOf(events) }));

/** What is judged, without the line numbers that prove it, and what is of each generator rather than of the load. */
function judged(events: readonly JournalEvent[]): unknown {
  const { findings, verdict } = judgeRun({ journal: linesOf(events) });
  return [verdict, findings.filter(({ check }) => check !== 'generator').map(({ evidence: _, ...finding }) => finding)];
}

describe('the journals of segments', () => {
  it('put together are judged as one generator’s, in whatever order they are given', () => {
    fc.assert(
      fc.property(fc.integer({ min: 2, max: 5 }), fc.nat(), fc.boolean(), (of, seed, backwards) => {
        const one = whole();
        const parts = segmentsOf(one, of, (row) => (row * 7919 + seed) % of);
        const merged = mergeJournals(journals(backwards ? parts.reverse() : parts));
        expect(judged(merged)).toEqual(judged(one));
        expect(merged.map(({ seq }) => seq)).toEqual(merged.map((_, index) => index));
        expect(merged[0]).toMatchObject({
          mergedFrom: Array.from({ length: of }, (_, index) => expect.stringMatching(`-${index}$`)),
        });
        expect(merged.at(-1)!.type).toBe('run.closed');
      }),
      { numRuns: 20 },
    );
  });

  it('alone prove nothing, and say so', () => {
    const part = segmentsOf(whole(), 3, (row) => row)[1]!;
    const { findings, verdict } = judgeRun({ journal: linesOf(part) });
    expect(verdict).not.toBe('pass');
    expect(findings.find(({ check }) => check === 'segment')!.because).toContain('segment 2 of 3');
  });

  it('are refused with all that is wrong', () => {
    const parts = segmentsOf(whole(), 3, (row) => row);
    const merge = (given: JournalEvent[][]) => () => mergeJournals(journals(given));
    expect(merge([parts[0]!, parts[1]!])).toThrow('segment 3 of 3 is missing');
    expect(merge([parts[0]!, parts[0]!, parts[2]!])).toThrow(
      /segment 1 of 3 is there 2 times|segment 2 of 3 is missing/,
    );
    expect(merge([whole(), parts[1]!])).toThrow('part-0 is not a segment');
    const other = parts[2]!.map((event) =>
      event.type === 'run.opened' ? { ...event, timeline: { ...event.timeline, digest: 'another' } } : event,
    );
    expect(merge([parts[0]!, parts[1]!, other])).toThrow('part-2 is of another timeline');
    const late = parts[2]!.map((event) =>
      event.type === 'load.origin' ? { ...event, originMs: event.originMs + 400 } : event,
    );
    expect(merge([parts[0]!, parts[1]!, late])).toThrow('part-2 began 400 ms after');
    expect(merge([parts[0]!, parts[1]!, parts[2]!.filter(({ type }) => type !== 'run.closed')])).toThrow(
      'part-2 ends in the middle',
    );
  });
});
