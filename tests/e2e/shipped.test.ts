import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { JournalEvent } from '../../harness/spi/journal.ts';
import type { Report } from '../../harness/spi/reporter.ts';
import { readJournal } from '../support/cli.ts';
import { lookOutside, NOTHING, newSince } from '../support/outside.ts';
import { BRIEF, runPlan } from '../support/plan-run.ts';
import { containerEngine, requireOrSkip } from '../support/requirements.ts';

const SHORT = [...BRIEF, 'ramp=1s', 'watch=5s', 'peak=20/s'];
/** The shipped plans that no planted weakness runs, shortened so that each still reaches every fault and its heal. */
const QUICKSTART = {
  plan: 'plans/quickstart.yaml',
  set: [...SHORT, 'hold=30s', 'slowAt=3s', 'slowFor=2s', 'killAt=6s', 'killFor=3s', 'darkAt=20s', 'darkFor=5s'],
  faults: ['slow-link', 'primary-dies', 'dark'],
};
const LOSE_ONE = {
  plan: 'plans/lose-a-data-centre.yaml',
  set: [...SHORT, 'hold=13s', 'darkAt=3s', 'darkFor=5s'],
  faults: ['dark'],
};
/** Enough starts for three nines. */
const STEADY = { plan: 'plans/steady-state.yaml', set: ['warm=5s', 'peak=150/s', 'hold=20s'], faults: [] };

const MB = 1_000_000;

let folder = '';
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'shipped-'));
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

interface Shortened {
  plan: string;
  set: string[];
  faults: string[];
}

/** Runs it, and asserts what holds for every honest run, whatever its verdict. */
async function runs(
  { plan, set, faults }: Shortened,
  runtime: string,
  env: Record<string, string> = {},
): Promise<{ report: Report; journal: JournalEvent[] }> {
  const where = { folder, label: runtime, args: ['--runtime', runtime], env };
  const { report, code, output: said, runDir } = await runPlan(plan, set, where);
  const journal = readJournal(runDir);
  expect(report.outcome, said).toBe('completed');
  expect(report.exitCode, said).toBe(code);
  expect({ pass: 0, fail: 1, unknown: 2 }[report.verdict], said).toBe(code);
  for (const type of ['fault.commanded', 'fault.bitten', 'fault.healed'] as const) {
    expect(
      journal.filter((event) => event.type === type).map((event) => (event as { fault: string }).fault),
      said,
    ).toEqual(faults);
  }
  expect(journal.at(-1)).toMatchObject({ type: 'run.closed' });
  const wrong = report.findings.filter(({ check, scope, verdict }) => {
    const books = check === 'integrity' || check === 'isolation' || /acknowledged writes/.test(scope);
    return books && verdict !== 'pass';
  });
  expect(wrong, said).toEqual([]);
  return { report, journal };
}

describe('the shipped plans, shortened', () => {
  const before = lookOutside();

  it('quickstart breaks and heals all three, and loses no acknowledged write', async () => {
    await runs(QUICKSTART, 'local');
    expect(newSince(before)).toEqual(NOTHING);
  });

  it('lose-a-data-centre loses it and no acknowledged write', async () => {
    await runs(LOSE_ONE, 'local');
    expect(newSince(before)).toEqual(NOTHING);
  });

  it('steady-state passes at 99.9 %, with the harness within its limits of memory', async () => {
    const { report, journal } = await runs(STEADY, 'local');
    const availability = report.findings.find(({ check, scope }) => check === 'availability' && scope === 'sale');
    expect(availability).toMatchObject({ verdict: 'pass' });
    const samples = journal.filter((event) => event.type === 'sample');
    const most = (sizes: number[]): number => Math.max(...sizes) / MB;
    expect(samples.length).toBeGreaterThan(2);
    expect(most(samples.map(({ tool }) => tool.rssBytes))).toBeLessThan(150);
    expect(most(samples.flatMap(({ load }) => load.map(({ rssBytes }) => rssBytes)))).toBeLessThan(150);
    expect(most(samples.flatMap(({ proxies }) => proxies.map(({ rssBytes }) => rssBytes)))).toBeLessThan(90);
  });

  it('quickstart does the same in containers', async (context) => {
    const { imageMap } = requireOrSkip(context, await containerEngine());
    await runs(QUICKSTART, 'containers', { SEAWALL_IMAGES: imageMap });
    expect(newSince(before)).toEqual(NOTHING);
  });
});
