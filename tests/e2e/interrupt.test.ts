import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { cli, eventually, ROOT, readJournal, readReport, startCli } from '../support/cli.ts';
import { lookOutside, NOTHING, newSince } from '../support/outside.ts';

const PLAN = join(ROOT, 'fixtures/plans/tiny.yaml');

let folder = '';
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'interrupt-'));
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const env = () => ({ XDG_STATE_HOME: join(folder, 'state') });
const run = (name: string, ...more: string[]) =>
  startCli(['run', PLAN, '--out', join(folder, name), '--reporter', 'json', ...more], { env: env() });

describe('a run that is ended early', () => {
  const before = lookOutside();

  it('by Ctrl-C heals, reports and exits 130', async () => {
    const started = run('once', '--set', 'length=60s');
    await eventually('the fault to bite', () => started.stdout().includes(' bit: '));
    started.child.kill('SIGINT');
    expect((await started.done).code).toBe(130);
    const types = readJournal(join(folder, 'once')).map((event) => event.type);
    expect(types).toContain('fault.healed');
    expect(readReport(join(folder, 'once'))).toMatchObject({ outcome: 'interrupted', exitCode: 130, leftovers: [] });
    expect(newSince(before)).toEqual(NOTHING);
  });

  it('by Ctrl-C twice heals only', async () => {
    const started = run('twice', '--set', 'length=60s');
    await eventually('the fault to bite', () => started.stdout().includes(' bit: '));
    started.child.kill('SIGINT');
    await eventually('the first to be heard', () => started.stdout().includes('interrupted by SIGINT'));
    started.child.kill('SIGINT');
    expect((await started.done).code).toBe(130);
    expect(readdirSync(join(folder, 'twice'))).not.toContain('report.json');
    expect(newSince(before)).toEqual(NOTHING);
  });

  it('by stop from another shell and another folder heals first, and the report is there', async () => {
    const started = run('stopped', '--set', 'length=60s');
    await eventually('the fault to bite', () => started.stdout().includes(' bit: '));
    const stopped = await cli(['stop'], { cwd: folder, env: env() });
    expect(stopped).toMatchObject({ code: 0, stdout: expect.stringContaining('ended') });
    expect((await started.done).code).toBe(130);
    expect(readReport(join(folder, 'stopped')).outcome).toBe('interrupted');
    expect(newSince(before)).toEqual(NOTHING);
  });

  it('while the stack is coming up leaves nothing', async () => {
    const started = run('early');
    await eventually('the stack to start', () => started.stdout().includes('▸ up'));
    started.child.kill('SIGINT');
    expect((await started.done).code).toBe(130);
    expect(newSince(before)).toEqual(NOTHING);
  });

  it('does not touch another run: two run side by side, and heal leaves the living alone', async () => {
    const [one, two] = [run('one'), run('two')];
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
