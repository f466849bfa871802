import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it, type TestContext } from 'vitest';
import { type CliProcess, cli, eventually, ROOT, startCli } from '../support/cli.ts';
import { lookOutside, NOTHING, newSince } from '../support/outside.ts';
import { containerEngine, requireOrSkip } from '../support/requirements.ts';

const PLAN = join(ROOT, 'fixtures/plans/tiny.yaml');

let folder = '';
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'containers-'));
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const state = () => ({ XDG_STATE_HOME: join(folder, 'state') });

function docker(...args: string[]): string[] {
  const text = execFileSync('docker', args, { encoding: 'utf8' });
  return text.split('\n').filter((line) => line !== '');
}

/** Containers and networks that carry the label of any run. */
function labelled(): string[] {
  return [
    ...docker('ps', '-a', '--filter', 'label=seawall.run', '--format', '{{.Names}}'),
    ...docker('network', 'ls', '--filter', 'label=seawall.run', '--format', '{{.Name}}'),
  ];
}

async function start(context: TestContext, name: string, env: Record<string, string> = {}): Promise<CliProcess> {
  const { imageMap } = requireOrSkip(context, await containerEngine());
  const args = ['run', PLAN, '--runtime', 'containers', '--out', join(folder, name), '--reporter', 'json'];
  return startCli(args, { env: { ...state(), SEAWALL_IMAGES: imageMap, ...env } });
}

async function killAndHeal(started: CliProcess): Promise<void> {
  started.child.kill('SIGKILL');
  await started.done;
  const healed = await cli(['heal'], { cwd: folder, env: state() });
  expect(healed).toMatchObject({ code: 0, stdout: expect.stringContaining('healed') });
}

describe('a tool that is killed while containers run', () => {
  it('with a fault held leaves nothing that heal does not remove', async (context) => {
    const started = await start(context, 'held', { SEAWALL_HALT_AT: 'fault:hold:begin' });
    const before = lookOutside();
    await eventually(
      'halt in the hold',
      () => {
        if (started.child.exitCode !== null) throw new Error(`${started.stdout()}${started.stderr()}`);
        return started.stderr().includes('seawall halted');
      },
      120_000,
    );
    expect(labelled().length).toBeGreaterThan(3);
    await killAndHeal(started);
    expect(labelled()).toEqual([]);
    expect({ ...newSince(before), listening: [] }).toEqual(NOTHING);
  });

  it('with the stack half up leaves nothing that heal does not remove', async (context) => {
    const started = await start(context, 'half');
    await eventually('the first container', () => labelled().length > 1, 60_000);
    await killAndHeal(started);
    expect(labelled()).toEqual([]);
  });
});
