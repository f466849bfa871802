import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { cli, eventually, ROOT, readJournal, readReport, startCli } from '../support/cli.ts';
import { lookOutside, NOTHING, newSince } from '../support/outside.ts';

const PLAN = join(ROOT, 'fixtures/plans/pair.yaml');
/** With a database, which takes a while to come up. */
const TINY = join(ROOT, 'fixtures/plans/tiny.yaml');

let folder = '';
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'interrupt-'));
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

/** The fault is held far beyond the test. */
const HELD = ['--set', 'length=60s', '--set', 'slowFor=50s'];

const env = () => ({ XDG_STATE_HOME: join(folder, 'state') });
const runPlan = (plan: string, name: string, ...more: string[]) =>
  startCli(['run', plan, '--out', join(folder, name), '--reporter', 'json', ...more], { env: env() });
const run = (name: string, ...more: string[]) => runPlan(PLAN, name, ...more);

describe('a run that is ended early', () => {
  const before = lookOutside();

  it('by Ctrl-C heals, reports and exits 130', async () => {
    const started = run('once', ...HELD);
    await eventually('the fault to bite', () => started.stdout().includes(' bit: '));
    started.child.kill('SIGINT');
    expect((await started.done).code).toBe(130);
    const events = readJournal(join(folder, 'once'));
    expect(events.map((event) => event.type)).toContain('fault.healed');
    expect(events.find((event) => event.type === 'fault.reverting')).toMatchObject({ why: 'interrupt' });
    expect(readReport(join(folder, 'once'))).toMatchObject({ outcome: 'interrupted', exitCode: 130, leftovers: [] });
    expect(newSince(before)).toEqual(NOTHING);
  });

  it('by Ctrl-C twice heals only', async () => {
    const started = run('twice', ...HELD);
    await eventually('the fault to bite', () => started.stdout().includes(' bit: '));
    started.child.kill('SIGINT');
    await eventually('the first to be heard', () => started.stdout().includes('interrupted by SIGINT'));
    started.child.kill('SIGINT');
    expect((await started.done).code).toBe(130);
    expect(readdirSync(join(folder, 'twice'))).not.toContain('report.json');
    expect(newSince(before)).toEqual(NOTHING);
  });

  it('by stop from another shell and another folder heals first, and the report is there', async () => {
    const started = run('stopped', ...HELD);
    await eventually('the fault to bite', () => started.stdout().includes(' bit: '));
    const stopped = await cli(['stop'], { cwd: folder, env: env() });
    expect(stopped).toMatchObject({ code: 0, stdout: expect.stringContaining('ended') });
    expect((await started.done).code).toBe(130);
    expect(readReport(join(folder, 'stopped')).outcome).toBe('interrupted');
    expect(newSince(before)).toEqual(NOTHING);
  });

  it('while the stack is coming up leaves nothing', async () => {
    const started = runPlan(TINY, 'early');
    await eventually('the stack to start', () => started.stdout().includes('▸ up'));
    started.child.kill('SIGINT');
    expect((await started.done).code).toBe(130);
    expect(newSince(before)).toEqual(NOTHING);
  });

  it('does not touch another run: two run side by side, and heal leaves the living alone', async () => {
    const [one, two] = [runPlan(TINY, 'one'), runPlan(TINY, 'two')];
    await eventually('both under load', () => one.stdout().includes('▸ load') && two.stdout().includes('▸ load'));
    const healed = await cli(['heal'], { cwd: folder, env: env() });
    expect(healed.stdout).toContain('nothing to heal');
    for (const [name, started] of [
      ['one', one],
      ['two', two],
    ] as const) {
      const { code } = await started.done;
      const report = readReport(join(folder, name));
      expect(report.outcome).toBe('completed');
      expect(report.exitCode).toBe(code);
      expect(readJournal(join(folder, name)).map((event) => event.type)).toContain('fault.healed');
    }
    expect(newSince(before)).toEqual(NOTHING);
  });
});
