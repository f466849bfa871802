import { describe, expect, it } from 'vitest';
import type { StepFailure } from '../../harness/spi/load.ts';
import { judgeRun } from '../../harness/verify/judge.ts';
import { journalFixture } from '../../tests/support/journal-fixture.ts';
import { sampleJournal } from '../../tests/support/sample-journal.ts';
import { buildReport } from '../report.ts';
import { lines } from './format.ts';
import { html, jsonData } from './markup.ts';
import { renderHtml } from './page.ts';

const EVIL = `"><img src=x onerror=alert(1)></script><script>alert(2)</script>'&`;
const FAILURE: StepFailure = {
  scenario: EVIL,
  journey: EVIL,
  step: EVIL,
  intendedMs: 40_000,
  sentMs: 40_001,
  endedMs: 41_000,
  class: 'status',
  status: 500,
  body: EVIL,
  traceparent: EVIL,
};

function page(journal: string[], failures: StepFailure[] = []): string {
  const judged = judgeRun({ journal });
  return renderHtml(buildReport(judged), judged.view, failures);
}

const SAMPLE = page(sampleJournal(), [FAILURE]);

describe('renderHtml', () => {
  it('puts the verdict first, then findings, then charts', () => {
    const text = SAMPLE;
    const at = ['class="verdict fail"', 'id="findings"', 'id="over-time"', 'id="audit"', 'id="plan"'].map((mark) =>
      text.indexOf(mark),
    );
    expect(at).toEqual(at.toSorted((a, b) => a - b));
    expect(at[0]).toBeGreaterThan(0);
    expect(text).toContain('31,170 of 31,250 good in this run');
    expect(text).toContain('journal lines ');
  });

  it('shows the traffic as declared and as sent, and the worst windows among the findings', () => {
    const sale = {
      name: 'sale',
      rates: { browse: 60, pay: 40 },
      steps: { pay: ['place', 'settle'] },
      conversions: { pay: [1, 0.5] },
      sentTo: (_second: number, _journey: string, step: string) => (step === 'place' ? 40 : 10),
    };
    const params = { of: 'sale', target: 0.99, confidence: 0.95, when: 'all', over: 5000 };
    const text = page(journalFixture({ seconds: 20, scenarios: [sale], checks: [{ check: 'availability', params }] }));
    expect(text).toContain('Declared by the plan, and sent from t = 0');
    expect(text).toMatch(/place → settle<\/td>\s*<td class="n">50 %<\/td>\s*<td class="n">25 %/);
    expect(text).toContain('In each of 16 windows of 5 s at least 99 %');
  });

  it('refers to nothing outside itself', () => {
    const text = SAMPLE;
    expect(text).not.toMatch(/\b(?:src|href)\s*=\s*"(?!#)/);
    expect(text).not.toMatch(/url\((?!#)/);
    expect(text).not.toMatch(/@import|https?:/);
    expect(text).toContain('default-src &#39;none&#39;');
  });

  it('escapes every name and answer that came from outside', () => {
    const journal = sampleJournal({
      plan: EVIL,
      hypothesis: EVIL,
      planText: EVIL,
      notes: [EVIL],
      versions: { [EVIL]: EVIL },
      machine: { [EVIL]: [EVIL] },
      scenarios: [{ name: EVIL, rates: { [EVIL]: 20 }, steps: { [EVIL]: [EVIL] }, bad: () => ({ timeout: 1 }) }],
      faults: [{ name: EVIL, kind: EVIL, target: { node: EVIL }, commandedMs: 9000, bittenMs: 9100, notHealed: EVIL }],
      checks: [{ check: 'availability', params: { of: EVIL, target: 0.9, confidence: 0.95, when: 'all' } }],
      audits: [{ type: 'audit.failed', what: EVIL, message: EVIL }],
    });
    const text = page(journal, [FAILURE]);
    expect(text).not.toContain('<img');
    expect(text).not.toContain('<script>alert');
    expect([...text.matchAll(/<script/g)]).toHaveLength([...text.matchAll(/<\/script>/g)].length);
    // One of data for the scenario, one of the page's own.
    expect([...text.matchAll(/<script/g)]).toHaveLength(2);
    expect(text).toContain('&quot;&gt;&lt;img src=x');
  });

  it('is whole for a run that ended before it began', () => {
    const text = page(
      journalFixture({
        seconds: 5,
        cutAfterSeconds: 0,
        scenarios: [{ name: 'sale', rates: { pay: 5 } }],
        killed: true,
      }),
    );
    expect(text).toContain('No load was sent after t = 0');
    expect(text).not.toMatch(/NaN|Infinity|undefined/);
  });

  it('draws numbers only', () => {
    expect(SAMPLE).not.toMatch(/NaN|Infinity|undefined/);
  });

  it('draws long runs in buckets', () => {
    const text = page(journalFixture({ seconds: 1300, scenarios: [{ name: 'sale', rates: { pay: 2 } }] }));
    expect(text).toContain('as a table (every 3 s)');
  });
});

describe('markup', () => {
  it('escapes values and keeps markup', () => {
    expect(String(html`<p title="${'"<'}">${[html`<b>${'&'}</b>`, undefined, false, 3]}</p>`)).toBe(
      '<p title="&quot;&lt;"><b>&amp;</b>3</p>',
    );
    expect(String(jsonData({ a: '</script>' }))).toBe('{"a":"\\u003c/script>"}');
  });

  it('draws journal lines together', () => {
    expect(lines([7, 3, 4, 5, 3])).toBe('3–5, 7');
  });
});
