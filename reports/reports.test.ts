import { describe, expect, it } from 'vitest';
import { judgeRun } from '../harness/verify/judge.ts';
import { journalFixture } from '../tests/support/journal-fixture.ts';
import { sampleJournal } from '../tests/support/sample-journal.ts';
import { renderJson } from './json.ts';
import { renderJunit } from './junit.ts';
import { renderMarkdown } from './markdown.ts';
import { buildReport } from './report.ts';

const judged = judgeRun({ journal: sampleJournal() });
const report = buildReport(judged);
const EVIL = '<script>alert(1)</script>"\'&\u0000\u0008`|*_[x](javascript:1)';

describe('buildReport', () => {
  it('is the same for the same journal, and whole as JSON', () => {
    expect(buildReport(judgeRun({ journal: sampleJournal() }))).toEqual(report);
    const read = JSON.parse(renderJson(report)) as typeof report;
    expect(read).toMatchObject({ version: 1, verdict: 'fail', exitCode: 1, seed: 20_261_111, outcome: 'completed' });
    expect(read.findings).toHaveLength(judged.findings.length);
  });

  it('adds up totals by journey and step', () => {
    const pay = report.totals.filter(({ scenario, journey }) => scenario === 'sale' && journey === 'pay');
    expect(pay.map(({ step, good }) => [step, good])).toEqual([
      [undefined, 3125],
      ['order', 3125],
      ['pay', 3125],
    ]);
    const browse = report.totals.find(({ scenario, journey }) => scenario === 'sale' && journey === 'browse')!;
    expect(browse.bad).toEqual({ timeout: 48, refused: 8, reset: 6 });
    expect(browse.fromIntendedMs.max).toBeCloseTo(1000, 0);
  });

  it('puts the traffic as declared beside the traffic as sent', () => {
    const sale = {
      name: 'sale',
      rates: { browse: 60, pay: 40 },
      steps: { pay: ['place', 'settle'] },
      conversions: { pay: [1, 0.5] },
      sentTo: (_second: number, _journey: string, step: string) => (step === 'place' ? 40 : 10),
      droppedLate: (_second: number, journey: string) => (journey === 'browse' ? 30 : 0),
    };
    const { traffic } = buildReport(judgeRun({ journal: journalFixture({ seconds: 10, scenarios: [sale] }) }));
    expect(traffic.map(({ what, declared, measured }) => [what, declared, Number(measured.toFixed(4))])).toEqual([
      ['rate', 100, 70],
      ['share of browse', 0.6, 0.4286],
      ['share of pay', 0.4, 0.5714],
      ['pay: place → settle', 0.5, 0.25],
    ]);
    expect(traffic.map(({ unit }) => unit)).toEqual(['per second', 'ratio', 'ratio', 'ratio']);
  });

  it('tells each fault’s times and where users were served again', () => {
    expect(report.faults).toMatchObject([
      { name: 'slow-link', target: 'payment → order', recoveredMs: 15_010 },
      { name: 'dark', target: 'hz-a', commandedMs: 40_020, bittenMs: 40_610, recoveredMs: 43_000 },
    ]);
  });

  it('says in its summary what decided', () => {
    expect(report.summary).toMatch(/^Of 11 claims 1 failed, 10 held\. availability of sale: 31,170 of 31,250 good/);
    const nothing = buildReport(
      judgeRun({ journal: journalFixture({ seconds: 3, scenarios: [{ name: 's', rates: { a: 9 } }] }) }),
    );
    expect([nothing.verdict, nothing.summary]).toEqual(['unknown', 'Nothing was judged.']);
    const error = { code: 'NODE_DIED', message: 'gateway ended; it said:\nmany lines', hint: '' };
    expect(buildReport({ ...judged, error }).summary).toBe(
      'The harness failed (NODE_DIED): gateway ended; it said:. 0 of 11 claims could not be settled.',
    );
  });
});

describe('junit', () => {
  it('has a case for each finding, and the kinds as documented', () => {
    const text = renderJunit(report);
    const count = (pattern: RegExp): number => [...text.matchAll(pattern)].length;
    const advisory = report.findings.filter((finding) => finding.advisory).length;
    expect(count(/<testcase /g)).toBe(report.findings.length);
    expect(count(/<failure /g)).toBe(1);
    expect(count(/<skipped /g)).toBe(advisory);
    expect(text).toContain(`tests="${report.findings.length}" failures="1" errors="0" skipped="${advisory}"`);
  });

  it('calls what the harness failed at errors', () => {
    const failed = { ...report, error: { code: 'NODE_DIED', message: 'gone', hint: 'look' }, leftovers: ['a proxy'] };
    const text = renderJunit(failed);
    expect(text).toContain('errors="2"');
    expect(text).toContain('seawall heal');
  });

  it('lets nothing through that XML cannot hold', () => {
    const finding = { ...report.findings[0]!, scope: EVIL, because: `${EVIL}\n\ud800` };
    const text = renderJunit({ ...report, plan: { ...report.plan, name: EVIL }, findings: [finding] });
    expect(text).not.toContain('<script');
    // biome-ignore lint/suspicious/noControlCharactersInRegex: these are what must not be there
    expect(text).not.toMatch(/[\u0000-\u0008\u000b\u000c\u000e-\u001f]/);
    expect(text.isWellFormed()).toBe(true);
  });
});

describe('markdown', () => {
  it('opens with the verdict and holds no markup of others', () => {
    expect(renderMarkdown(report)).toMatch(/^# ❌ fail: lose-a-data-centre\n/);
    const text = renderMarkdown({ ...report, plan: { ...report.plan, hypothesis: EVIL } });
    expect(text).not.toContain('<script');
    expect(text).not.toContain('[x](');
  });
});
