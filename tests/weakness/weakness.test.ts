import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Finding } from '../../harness/spi/check.ts';
import type { Report } from '../../harness/spi/reporter.ts';
import { BRIEF, type PlanRun, runPlan } from '../support/plan-run.ts';

const BRIEF_FAULT = [...BRIEF, 'ramp=1s', 'watch=2s'];

/**
 * Each weakness planted in the sample shop, the shipped plan that must catch it, and the check it was planted for. The
 * same plan and seed without it must not fail that check.
 */
const CASES: { plan: string; set: string[]; weaknesses: { name: string; check: string; scope?: RegExp }[] }[] = [
  {
    plan: 'plans/steady-state.yaml',
    set: [...BRIEF, 'peak=15/s', 'hold=6s'],
    weaknesses: [
      { name: 'drop-tag', check: 'isolation' },
      { name: 'ignore-shadow', check: 'isolation' },
    ],
  },
  {
    plan: 'plans/lossy-answers.yaml',
    set: [...BRIEF_FAULT, 'peak=15/s', 'hold=9s', 'lossAt=3s', 'lossFor=4s'],
    weaknesses: [
      { name: 'no-idempotence', check: 'integrity', scope: /money-conserved/ },
      { name: 'no-compensation', check: 'integrity', scope: /money-conserved/ },
    ],
  },
  {
    plan: 'plans/slow-dependency.yaml',
    set: [...BRIEF_FAULT, 'peak=20/s', 'hold=9s', 'slowAt=3s', 'slowFor=4s'],
    weaknesses: [{ name: 'no-deadline', check: 'availability' }],
  },
  {
    plan: 'plans/frozen-dependency.yaml',
    set: [...BRIEF_FAULT, 'peak=20/s', 'hold=9s', 'frozenAt=3s', 'frozenFor=4s'],
    weaknesses: [{ name: 'no-deadline', check: 'availability' }],
  },
  {
    plan: 'plans/database-failover.yaml',
    // Recovery is failed by the 10 s asked and the 5 s that would have to be good, all under load.
    set: [...BRIEF_FAULT, 'peak=20/s', 'hold=18s', 'killAt=3s', 'killFor=11.5s'],
    weaknesses: [{ name: 'no-promotion', check: 'recovery' }],
  },
  {
    plan: 'plans/cut-off-data-centre.yaml',
    set: [...BRIEF_FAULT, 'peak=20/s', 'hold=18s', 'cutAt=3s', 'cutFor=11.5s'],
    weaknesses: [{ name: 'no-promotion', check: 'recovery' }],
  },
  {
    plan: 'plans/migration-at-peak.yaml',
    set: [...BRIEF_FAULT, 'peak=20/s', 'hold=12s', 'lockAt=3s', 'lockFor=4s'],
    weaknesses: [{ name: 'no-compensation', check: 'integrity', scope: /money-conserved/ }],
  },
  {
    plan: 'plans/held-back-replication.yaml',
    set: [...BRIEF_FAULT, 'peak=30/s', 'hold=12s', 'holdBackAt=3s', 'killAt=3.5s', 'killFor=7s'],
    weaknesses: [{ name: 'early-ack', check: 'recovery', scope: /acknowledged writes/ }],
  },
];

let folder = '';
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'weakness-'));
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const run = (plan: string, set: string[], weakness: string): Promise<PlanRun> =>
  runPlan(plan, [...set, `weakness=${weakness}`], { folder, label: weakness, args: ['--reporter', 'json'] });

function failed(report: Report, check: string, scope: RegExp = /./): Finding[] {
  const counted = report.findings.filter((finding) => !finding.advisory && finding.verdict === 'fail');
  return counted.filter((finding) => finding.check === check && scope.test(finding.scope));
}

for (const { plan, set, weaknesses } of CASES) {
  describe(plan, () => {
    it('does not fail the checks on the sound shop, and loses no acknowledged write', async () => {
      const { report, output } = await run(plan, set, 'none');
      expect(report.outcome, output).toBe('completed');
      for (const { check, scope } of weaknesses) expect(failed(report, check, scope), output).toEqual([]);
      expect(failed(report, 'recovery', /acknowledged writes/), output).toEqual([]);
    });

    for (const { name, check, scope } of weaknesses) {
      it(`fails ${check} with ${name}`, async () => {
        const { report, code, output } = await run(plan, set, name);
        expect(failed(report, check, scope), output).not.toEqual([]);
        expect({ code, verdict: report.verdict }, output).toEqual({ code: 1, verdict: 'fail' });
      });
    }
  });
}
