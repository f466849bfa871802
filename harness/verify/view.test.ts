import { describe, expect, it } from 'vitest';
import { journalFixture } from '../../tests/support/journal-fixture.ts';
import { HarnessError } from '../core/errors.ts';
import { parseJournal } from './view.ts';

const lines = journalFixture({
  seconds: 4,
  scenarios: [{ name: 'sale', rates: { pay: 10, browse: 30 }, bad: (second) => (second === 2 ? { timeout: 1 } : {}) }],
  faults: [{ name: 'dark', commandedMs: 1000, bittenMs: 1200, revertingMs: 2000, healedMs: 2500 }],
});

function codeOf(work: () => unknown): string {
  try {
    work();
  } catch (thrown) {
    if (thrown instanceof HarnessError) return `${thrown.code} ${thrown.message}`;
    throw thrown;
  }
  return 'nothing thrown';
}

describe('parseJournal', () => {
  it('leaves warm-up out and keeps seconds in order, by journey', () => {
    const view = parseJournal(lines);
    expect(view.seconds({ scenario: 'sale', journey: 'pay' }).map((row) => row.fromMs)).toEqual([0, 1000, 2000, 3000]);
    expect(view.seconds({ scenario: 'sale' })).toHaveLength(8);
    expect(view.seconds({ scenario: 'nobody' })).toEqual([]);
    expect(view.seconds({ scenario: 'sale', journey: 'pay', step: 'pay' })).toEqual([]);
  });

  it('adds up the rows of one second, histograms too', () => {
    const at = lines.findIndex((line) => line.includes('"load.window"') && line.includes('"fromMs":2000'));
    const twice = [...lines];
    const seq = lines.length;
    twice.push(lines[at]!.replace(/^\{"seq":\d+/, `{"seq":${seq + 1}`));
    const [once, doubled] = [parseJournal(lines), parseJournal(twice)].map(
      (view) => view.seconds({ scenario: 'sale', journey: 'pay' })[2]!,
    );
    expect([doubled!.good, doubled!.badCount, doubled!.bad.timeout]).toEqual([once!.good * 2, 2, 2]);
    expect(doubled!.fromIntended.count).toBe(once!.fromIntended.count * 2);
    expect(doubled!.fromIntended.quantile(0.5)).toBe(once!.fromIntended.quantile(0.5));
    expect(doubled!.evidence).toEqual([at + 1, seq + 1]);
  });

  it('tells the story of a fault in times from t = 0', () => {
    expect(parseJournal(lines).faults).toMatchObject([
      { name: 'dark', commandedMs: 1000, bittenMs: 1200, revertingMs: 2000, healedMs: 2500, targets: ['hz-a'] },
    ]);
  });

  it('leaves out a last line that was cut, in text and in lines', () => {
    const cut = `${lines.slice(0, -1).join('\n')}\n${lines.at(-1)!.slice(0, 20)}`;
    const view = parseJournal(cut);
    expect(view.events).toHaveLength(lines.length - 1);
    expect(view.closed).toBeUndefined();
    expect(parseJournal(`${lines.join('\n')}\n`).closed?.outcome).toBe('completed');
  });

  it('names the line of anything else that is broken', () => {
    const broken = (index: number, line: string): string => lines.with(index, line).join('\n');
    expect(codeOf(() => parseJournal(broken(4, '{"seq":')))).toBe('JOURNAL_BROKEN line 5 of the journal: not JSON');
    expect(codeOf(() => parseJournal(broken(4, '42')))).toContain('line 5 of the journal: not an event');
    expect(codeOf(() => parseJournal(broken(4, lines[3]!)))).toContain('line 5 of the journal: its number 4');
    expect(codeOf(() => parseJournal(''))).toContain('it is empty');
    expect(codeOf(() => parseJournal(lines.slice(1)))).toContain('it opens with phase.opened');
    expect(codeOf(() => parseJournal(broken(0, lines[0]!.replace('"version":1', '"version":2'))))).toContain(
      'version 2',
    );
  });
});
